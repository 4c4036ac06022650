import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findTool } from '../../src/host/exec.ts';
import { TestProject } from '../support/test-project.ts';

/** Four guests, and hundreds of megabytes between them. */
const TIMEOUT_MS = 900_000;

const DEFAULTS = 'defaults: { box: tiny, memory: 192MiB }\n';

/** The volume at which a switch that loses or reorders shows. */
const MEBIBYTES = 100;

/** Serves a file of random bytes. Gives its checksum. */
async function serve(project: TestProject, machine: string): Promise<string> {
  const script = `dd if=/dev/urandom of=/root/file bs=1M count=${MEBIBYTES} 2>/dev/null
httpd -p 8000 -h /root
sha256sum </root/file`;
  return project.ok('exec', machine, '--', 'sh', '-c', script);
}

async function fetchSum(project: TestProject, machine: string, from: string): Promise<string> {
  return project.ok('exec', machine, '--', 'sh', '-c', `wget -q -O- http://${from}:8000/file | sha256sum`);
}

async function ping(project: TestProject, machine: string, ...args: string[]): Promise<boolean> {
  const { exitCode } = await project.vm('exec', machine, '--', 'ping', '-c', '2', '-W', '5', ...args);
  return exitCode === 0;
}

/** A PATH with all that vm needs but a switch. */
async function pathWithoutSwitch(): Promise<{ readonly PATH: string } & AsyncDisposable> {
  const PATH = await mkdtemp(join(tmpdir(), 'vm-path-'));
  for (const name of ['qemu-system-x86_64', 'qemu-img', 'ssh', 'sh']) {
    await symlink(findTool(name) ?? `/nonexistent/${name}`, join(PATH, name));
  }
  return { PATH, [Symbol.asyncDispose]: () => rm(PATH, { recursive: true }) };
}

function switchesOf(project: TestProject): string[] {
  const runtimeDir = join(project.env.XDG_RUNTIME_DIR ?? '', 'vm');
  return existsSync(runtimeDir) ? readdirSync(runtimeDir).filter((name) => name.startsWith('net-')) : [];
}

describe('machines of a project', { timeout: TIMEOUT_MS }, () => {
  test('with a switch of their own: names, volume, IPv6, a machine added later; strangers on the same subnet', async () => {
    const lab = (more: string) => `${DEFAULTS}machines:
  a: { networks: [{ name: lab, address: 10.7.0.12 }] }
  b: { networks: [lab, side] }
${more}networks:
  lab: { subnet: 10.7.0.0/24, subnet6: "fd00:7::/64" }
  side:
`;
    await using project = await TestProject.create({ files: { Machinefile: lab('') } });
    await using stranger = await TestProject.create({
      files: {
        Machinefile: `${DEFAULTS}machines: { c: { networks: [{ name: lab, address: 10.7.0.99 }] } }
networks: { lab: { subnet: 10.7.0.0/24 } }
`,
      },
    });
    await Promise.all([project.ok('up'), stranger.ok('up')]);
    const { networks, addresses } = await project.status('b');
    expect(networks.map(({ network, segment }) => [network, segment])).toEqual([
      ['lab', 'vde'],
      ['side', 'vde'],
    ]);
    expect(addresses).toMatchObject({ lab: '10.7.0.2' });

    const served = await serve(project, 'a');
    expect(await fetchSum(project, 'b', 'a')).toBe(served);
    for (const name of ['a', 'a.lab', 'fd00:7::3']) expect(await ping(project, 'b', name), name).toBe(true);
    expect(await ping(project, 'a', 'b.lab')).toBe(true);
    expect((await project.vm('exec', 'a', '--', 'ping', '-c', '1', 'b.side')).stderr).toContain('bad address');

    expect(await ping(stranger, 'c', '10.7.0.12')).toBe(false);
    expect(await project.ok('exec', 'a', '--', 'cat', '/proc/net/arp')).not.toContain('10.7.0.99');

    await project.write('Machinefile', lab('  d: { networks: [lab] }\n'));
    await project.ok('up', 'd');
    expect(await ping(project, 'a', 'd')).toBe(true);
    expect(await ping(project, 'd', 'a')).toBe(true);

    expect(switchesOf(project)).toHaveLength(2);
    await project.ok('destroy', 'b', '--yes');
    expect(switchesOf(project)).toHaveLength(1);
  });

  test('with nothing installed: names, volume, jumbo frames; strangers on the same subnet', async () => {
    await using env = await pathWithoutSwitch();
    const machinefile = (machines: string) =>
      `${DEFAULTS}machines: ${machines}\nnetworks: { lab: { subnet: 10.7.0.0/24, mtu: 9000 } }\n`;
    await using project = await TestProject.create({
      files: { Machinefile: machinefile('{ a: { networks: [lab] }, b: { networks: [lab] } }') },
      env: { PATH: env.PATH },
    });
    await using stranger = await TestProject.create({
      files: { Machinefile: machinefile('{ c: { networks: [{ name: lab, address: 10.7.0.99 }] } }') },
      env: { PATH: env.PATH },
    });
    await Promise.all([project.ok('up'), stranger.ok('up')]);
    expect((await project.status('a')).networks).toMatchObject([{ network: 'lab', segment: 'multicast', mtu: 9000 }]);
    const served = await serve(project, 'a');
    expect(await fetchSum(project, 'b', 'a')).toBe(served);
    expect(await ping(project, 'b', '-s', '8900', 'a.lab')).toBe(true);
    expect(await ping(stranger, 'c', '10.7.0.2')).toBe(false);

    await project.ok('reload', 'a');
    expect(await ping(project, 'a', 'b')).toBe(true);
  });
});

test('two machines of which nothing is said share a network', async () => {
  await using project = await TestProject.create({ files: { Machinefile: `${DEFAULTS}machines: { a: , b: }\n` } });
  await project.ok('up');
  expect(await ping(project, 'a', 'b')).toBe(true);
  expect(await ping(project, 'b', 'a.default')).toBe(true);
});
