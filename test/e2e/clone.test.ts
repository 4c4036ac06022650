import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { MachineRecord } from '../../src/machine/record.ts';
import { makeOwnHome, type OwnHome } from '../support/own-home.ts';
import { TestProject } from '../support/test-project.ts';

const Machinefile = `machines:
  web:
    box: tiny
    memory: 256MiB
    hostname: web.example.org
    disks: [{ name: data, size: 64MiB }]
    networks: [lan]
    provision: [{ name: one, shell: "echo one >> /root/log" }]
networks: { lan: { subnet: 10.78.4.0/24 } }
`;

function projectIn(home: OwnHome): Promise<TestProject> {
  return TestProject.create({ files: { Machinefile }, env: { VM_HOME: home.dir } });
}

function inGuest(project: TestProject, machine: string, command: string): Promise<string> {
  return project.ok('exec', machine, '--', 'sh', '-c', command);
}

/** All that tells one guest from another, by what it is. */
async function identityOf(project: TestProject, machine: string): Promise<Record<string, string>> {
  const commands = {
    hostname: 'hostname',
    machineId: 'cat /etc/machine-id',
    hostKey: "cut -d ' ' -f 2 /run/machinefile/ssh_host_ed25519_key.pub",
    authorizedKeys: 'cat /run/machinefile/authorized_keys/*',
    cards: 'cat /sys/class/net/eth*/address',
    address: 'ip -4 addr show eth1 | grep -o "10[.]78[.]4[.][0-9]*/"',
    bootId: 'cat /proc/sys/kernel/random/boot_id',
  };
  const script = Object.values(commands).join('\necho END\n');
  const values = (await inGuest(project, machine, script)).split('END\n').map((value) => value.trim());
  return Object.fromEntries(Object.keys(commands).map((what, index) => [what, values[index] ?? '']));
}

async function recordOf({ dir }: TestProject, machine: string): Promise<MachineRecord> {
  return JSON.parse(await readFile(join(dir, '.vm/machines', machine, 'record.json'), 'utf8'));
}

interface Cache {
  readonly layers: readonly { readonly private: boolean }[];
  readonly unfinished: readonly unknown[];
}

async function privateCount(project: TestProject): Promise<number> {
  const { layers } = JSON.parse(await project.ok('cache', 'list', '--json')) as Cache;
  return layers.filter((layer) => layer.private).length;
}

test('a machine that runs, and its clone: the same disks, each its own identity, neither needs the other', async () => {
  await using home = await makeOwnHome();
  await using project = await projectIn(home);
  await project.ok('up');
  await inGuest(project, 'web', 'echo fresh > /root/fresh; echo raw > /dev/vdb');
  const { pid } = await project.status('web');
  await project.ok('clone', 'web', 'try');
  expect(await project.status('web'), 'it runs on').toMatchObject({ state: 'running', pid });
  await inGuest(project, 'web', 'echo later > /root/later; sync');
  expect(await project.ok('up', 'try')).toMatch(/1 step done/);

  expect(await inGuest(project, 'try', 'cat /root/fresh /root/log; head -c 3 /dev/vdb; ls /root')).toBe(
    'fresh\none\nrawfresh\nlog\n',
  );
  const [web, clone] = [await identityOf(project, 'web'), await identityOf(project, 'try')];
  for (const [what, value] of Object.entries(clone)) {
    expect(value, what).not.toBe('');
    expect(value, what).not.toBe(web[what]);
  }
  expect(clone.hostname).toBe('try.example.org');
  expect(clone.machineId).toBe((await recordOf(project, 'try')).id.replaceAll('-', ''));
  await inGuest(project, 'web', 'ping -c 1 try');
  await inGuest(project, 'try', 'ping -c 1 web');

  await inGuest(project, 'web', 'echo of-web > /root/log; sync');
  await inGuest(project, 'try', 'echo of-try >> /root/log; sync');
  await project.ok('destroy', 'web', '--yes');
  await project.ok('reload', 'try');
  expect(await inGuest(project, 'try', 'cat /root/fresh /root/log')).toBe('fresh\none\nof-try\n');
  expect(await project.ok('cache', 'verify')).toMatch(/^(\d+) of \1 layers whole$/m);
  await project.ok('destroy', 'try', '--yes');
  expect(await privateCount(project)).toBe(0);
});

test('a machine that is stopped, and its clone, which outlives nothing of the other', async () => {
  await using home = await makeOwnHome();
  await using project = await projectIn(home);
  await project.ok('up');
  await inGuest(project, 'web', 'echo fresh > /root/fresh');
  await project.ok('halt');
  await project.ok('clone', 'web', 'try');
  await project.ok('up');
  await inGuest(project, 'try', 'rm /root/fresh; sync');
  await project.ok('destroy', 'try', '--yes');
  await project.ok('reload', 'web');
  expect(await inGuest(project, 'web', 'cat /root/fresh /root/log')).toBe('fresh\none\n');
});

/** Until the guest has written back, while it is frozen, and after. */
const INSTANTS_MS = [300, 500, 700, 800, 900, 1_100];

test('killed at any instant: there is a whole clone, or none, and the machine runs on', async () => {
  await using home = await makeOwnHome();
  await using project = await projectIn(home);
  await project.ok('up');
  await inGuest(
    project,
    'web',
    'dd if=/dev/urandom of=/root/big bs=1M count=8 2>/dev/null; md5sum /root/big > /root/sum',
  );
  let clones = 0;
  for (const ms of INSTANTS_MS) {
    const name = `try-${ms}`;
    const running = project.start('clone', 'web', name);
    await Promise.race([delay(ms), running.ended]);
    running.child.kill('SIGKILL');
    await running.ended;
    await inGuest(project, 'web', `echo ${ms} >> /root/log; sync; md5sum -c /root/sum`);
    const machines = JSON.parse(await project.ok('status', '--json')) as { machine: string; state: string }[];
    const found = machines.find(({ machine }) => machine === name);
    if (found === undefined) continue;
    clones++;
    expect(found.state).toBe('stopped');
    if (clones === 1) {
      await project.ok('up', name);
      await inGuest(project, name, 'md5sum -c /root/sum');
      await project.ok('halt', name);
    }
  }
  await project.ok('clone', 'web', 'whole');
  await project.ok('reload', 'web');
  const log = await inGuest(project, 'web', 'md5sum -c /root/sum >&2 && cat /root/log');
  expect(log.trim().split('\n')).toEqual(['one', ...INSTANTS_MS.map(String)]);
  await project.ok('destroy', 'web', '--yes');
  await project.ok('up', 'whole');
  expect(await inGuest(project, 'whole', 'md5sum -c /root/sum >&2 && cat /root/log')).toBe(log);
  await project.ok('destroy', '--yes');
  await project.ok('cache', 'prune', '--all', '--yes');
  const { layers, unfinished } = JSON.parse(await project.ok('cache', 'list', '--json')) as Cache;
  expect([...layers, ...unfinished]).toEqual([]);
});
