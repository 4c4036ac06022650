import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256OfFile } from '../../src/host/files.ts';
import { TEMPLATE_FILES } from '../../src/machine/template.ts';
import { changeByte } from '../support/change-byte.ts';
import { makeOwnHome } from '../support/own-home.ts';
import { TestProject } from '../support/test-project.ts';

const MACHINEFILE = `machines:
  web:
    box: tiny
    memory: 256MiB
    warm: true
    replicas: 3
    environment: { COLOUR: blue }
    provision:
      - shell: echo provisioned >/root/note
`;

async function templateDir(homeDir: string): Promise<string> {
  const layersDir = join(homeDir, 'layers');
  for (const name of await readdir(layersDir)) {
    const dir = join(layersDir, name);
    if ((await readdir(dir)).includes('ram')) return dir;
  }
  throw new Error('there is no template');
}

const digestsOf = (dir: string) =>
  Promise.all(
    [...TEMPLATE_FILES, 'root.qcow2'].map((name) => sha256OfFile(join(dir, name), new AbortController().signal)),
  );

/** All by which two machines could be taken for one another. */
const IDENTITY = [
  'hostname',
  'cat /run/machinefile/ssh_host_ed25519_key.pub',
  'cat /etc/machine-id',
  'cat /root/.ssh/authorized_keys',
  'cat /sys/class/net/eth0/address',
  'cat /sys/class/net/eth1/address',
  'ip -4 -o address show eth1 | sed "s/.*inet //; s/ .*//"',
  'head -c 64 /dev/urandom | hexdump -v -e "/1 \\"%02x\\""; echo',
  'cat /proc/sys/kernel/random/uuid',
  'cat /proc/sys/kernel/random/boot_id',
];

test('machines go on from a template, each as itself, and the template stays as it is', async () => {
  await using home = await makeOwnHome();
  await using project = await TestProject.create({
    files: { Machinefile: MACHINEFILE },
    env: { VM_HOME: home.dir },
  });
  const cold = await project.vm('up', 'web-1');
  expect(cold, cold.stderr).toMatchObject({ exitCode: 0 });
  expect(cold.stderr).not.toContain('warm');
  const dir = await templateDir(home.dir);
  const digests = await digestsOf(dir);

  const warm = await project.vm('up', 'web-2');
  expect(warm, warm.stderr).toMatchObject({ exitCode: 0 });
  const clone = await project.ok('exec', 'web-2', '--', 'sh', '-c', IDENTITY.join('; '));
  expect(warm.stderr).toContain('web-2: wake');
  const log = await readFile(join(project.dir, '.vm/machines/web-2/serial.log'), 'utf8');
  expect(log).not.toContain('Linux version');
  expect(log).toContain('crng reseeded due to virtual machine fork');

  await project.ok('up', 'web-3');
  const other = await project.ok('exec', 'web-3', '--', 'sh', '-c', IDENTITY.join('; '));
  const [one, two] = [clone, other].map((text) => text.trim().split('\n'));
  expect(one).toHaveLength(10);
  expect(two).toHaveLength(10);
  expect(one?.filter((line, index) => line === two?.[index])).toEqual([]);
  expect(one?.[0]).toBe('web-2');

  const askedMs = Date.now();
  const clock = await project.ok('exec', 'web-3', '--', 'adjtimex');
  const [, seconds, microseconds] = /tv_sec: *(\d+)\s+time.tv_usec: *(\d+)/.exec(clock) ?? [];
  const guestMs = Number(seconds) * 1000 + Number(microseconds) / 1000;
  expect(guestMs).toBeGreaterThan(askedMs - 1000);
  expect(guestMs).toBeLessThan(Date.now() + 1000);
  expect(await project.ok('exec', 'web-3', '--', 'sh', '-c', 'echo $COLOUR; cat /root/note')).toBe(
    'blue\nprovisioned\n',
  );
  await project.ok('exec', 'web-3', '--', 'ping', '-c', '1', 'web-1');

  expect(await digestsOf(dir)).toEqual(digests);
  await project.ok('cache', 'prune', '--all', '--yes');
  expect(await digestsOf(dir), 'machines stand on it').toEqual(digests);
});

test('a template that is damaged is told of, and the machine boots', async () => {
  await using home = await makeOwnHome();
  await using project = await TestProject.create({
    files: { Machinefile: MACHINEFILE },
    env: { VM_HOME: home.dir },
  });
  await project.ok('up', 'web-1');
  const dir = await templateDir(home.dir);
  await changeByte(join(dir, 'ram'), 1 << 20);
  const { stderr, exitCode } = await project.vm('up', 'web-2');
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toMatch(/the layer .* is damaged, and made anew: ram: its content has changed/);
  expect(await readFile(join(project.dir, '.vm/machines/web-2/serial.log'), 'utf8')).toContain('Linux version');
  expect(await project.ok('exec', 'web-2', '--', 'hostname')).toBe('web-2\n');
});

test('runs go on from the memory of the first one, each as itself', async () => {
  await using home = await makeOwnHome();
  await using project = await TestProject.create({ files: {}, env: { VM_HOME: home.dir } });
  const options = ['--rm', '--no-network', '--memory', '256MiB', 'tiny', '--'];
  const run = (...command: string[]) => project.ok('run', ...options, ...command);
  const forks = 'dmesg | grep -c "virtual machine fork"';
  const identity = [...IDENTITY.filter((command) => !command.includes('eth1')), forks].join('; ');
  const count = `${forks} || true`;
  expect(await run('sh', '-c', count)).toBe('0\n');
  expect(await project.ok('run', '--warm', ...options, 'sh', '-c', count), 'nothing was kept').toBe('0\n');
  const [one, two] = [await run('sh', '-c', identity), await run('sh', '-c', identity)].map((text) =>
    text.trim().split('\n'),
  );
  expect(one?.pop()).toBe('1');
  expect(two?.pop()).toBe('1');
  expect(one).toHaveLength(8);
  expect(one?.filter((line, index) => line === two?.[index])).toEqual([]);
});
