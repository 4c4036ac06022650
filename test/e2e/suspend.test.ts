import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { changeByte } from '../support/change-byte.ts';
import { freePort, readAll, takePort } from '../support/host-ports.ts';
import { oneTiny } from '../support/machinefiles.ts';
import { TestProject } from '../support/test-project.ts';
import { mountTmpfs } from '../support/tmpfs.ts';

const isRoot = process.getuid?.() === 0;

const TWO = `
defaults: { box: tiny, memory: 256MiB }
machines:
  db: { volumes: ["data:/srv"], ports: ["80"] }
  web: { depends_on: [db] }
  spare: { volumes: ["data:/srv"], autostart: false }
volumes: { data: { size: 16MiB } }
`;

/** A guest that counts in its memory only, and tells how far it is on port 80. */
const COUNT = `(n=0; while :; do n=$((n + 1)); echo $n >/run/count; sleep 0.2; done) </dev/null >/dev/null 2>&1 &
(while :; do nc -l -p 80 -e cat /run/count; done) </dev/null >/dev/null 2>&1 &`;

const BOOT_ID = 'cat /proc/sys/kernel/random/boot_id';

async function inGuest(project: TestProject, machine: string, script: string): Promise<string> {
  return (await project.ok('exec', machine, '--', 'sh', '-c', script)).trim();
}

/** How far the guest's clock is from the host's, which is known as exactly as its answer is quick. */
async function clockError(project: TestProject, machine: string): Promise<{ leastMs: number; mostMs: number }> {
  const script = 'adjtimex | sed -n "s/^ *time.tv_u\\{0,1\\}sec: *//p"';
  const askedMs = Date.now();
  const [seconds, micros] = (await inGuest(project, machine, script)).split('\n').map(Number);
  const guestMs = Number(seconds) * 1000 + Number(micros) / 1000;
  return { leastMs: guestMs - Date.now(), mostMs: guestMs - askedMs };
}

test('two machines are suspended and go on: what runs in them, their clocks, ports, names and volumes', async () => {
  await using project = await TestProject.create({ files: { Machinefile: TWO } });
  await project.ok('up');
  await inGuest(project, 'db', `echo kept >/srv/note; ${COUNT}`);
  const bootId = await inGuest(project, 'db', BOOT_ID);
  const counted = Number(await inGuest(project, 'db', 'sleep 1; cat /run/count'));

  expect(await project.ok('suspend')).toBe('db is suspended\nweb is suspended\nspare is not created\n');
  expect(await project.status('db')).toMatchObject({ state: 'suspended', pid: null, ssh: null, reason: null });
  expect(await project.ok('suspend', 'db')).toBe('db was suspended already\n');
  const memory = await stat(join(project.dir, '.vm/machines/db/memory.state'));
  expect(memory.mode & 0o777).toBe(0o600);
  expect(await project.fails(1, 'exec', 'db', '--', 'true')).toContain('db is suspended\n→ vm resume db');
  expect(await project.fails(1, 'up', 'spare')).toContain('the volume data is attached to db');
  expect(await project.fails(1, 'volume', 'rm', 'data', '--yes')).toContain('attached to db, which is suspended');
  expect(await project.fails(1, 'package', 'db', '--name', 'team/db')).toContain('db is suspended');
  const [used] = JSON.parse(await project.ok('usage', 'db', '--json'));
  expect(used).toMatchObject({ running: false, runs: 1, unseen_ends: 0 });

  expect(await project.ok('resume')).toBe(
    'db goes on where it was suspended\nweb goes on where it was suspended\nspare is not created\n',
  );
  expect(await inGuest(project, 'db', BOOT_ID)).toBe(bootId);
  const { leastMs, mostMs } = await clockError(project, 'db');
  expect(leastMs).toBeLessThan(500);
  expect(mostMs).toBeGreaterThan(-500);
  const [port] = (await project.status('db')).ports;
  const { host = 0 } = port ?? {};
  await expect.poll(() => readAll(host).then(Number)).toBeGreaterThan(counted);
  expect(await inGuest(project, 'web', 'ping -c 1 -w 10 db >/dev/null && echo answers')).toBe('answers');
  expect(await inGuest(project, 'db', 'cat /srv/note; echo more >>/srv/note; sync; cat /srv/note')).toBe(
    'kept\nkept\nmore',
  );
  expect(await project.ok('resume', 'db')).toBe('db was running already\n');
  expect(existsSync(join(project.dir, '.vm/machines/db/memory.state'))).toBe(false);
  await project.ok('destroy', '--yes', '--volumes');
  expect(project.leftovers()).toEqual([]);
});

/** What of `vm` a test kills, and when: from before anything happens to after it is done. */
const INSTANTS_MS = [200, 500, 800, 1_200, 1_800, 2_600];

async function killAfter(project: TestProject, ms: number, ...args: string[]): Promise<void> {
  const running = project.start(...args);
  await Promise.race([delay(ms), running.ended]);
  running.child.kill('SIGKILL');
  await running.ended;
}

test('suspend and resume, killed at any instant: the guest never boots anew', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  const bootId = await inGuest(project, 'm', `echo 0 >/run/memory; ${BOOT_ID}`);
  for (const [round, ms] of INSTANTS_MS.entries()) {
    await killAfter(project, ms, 'suspend');
    expect((await project.status('m')).state, `suspend killed after ${ms} ms`).toMatch(/^(running|suspended)$/);
    // By either command, and from either state.
    await project.ok(...(round % 2 === 0 ? ['up'] : ['resume']));
    expect(await inGuest(project, 'm', BOOT_ID), `suspend killed after ${ms} ms`).toBe(bootId);
    await inGuest(project, 'm', `echo ${round} >/run/memory; echo ${round} >/root/disk; sync`);
    await project.ok('suspend');
    await killAfter(project, ms, 'resume');
    expect((await project.status('m')).state, `resume killed after ${ms} ms`).toMatch(/^(starting|running|suspended)$/);
    await project.ok('up');
    expect(await inGuest(project, 'm', `${BOOT_ID}; cat /run/memory /root/disk`)).toBe(`${bootId}\n${round}\n${round}`);
    const { leastMs, mostMs } = await clockError(project, 'm');
    expect(Math.max(leastMs, -mostMs), `clock, resume killed after ${ms} ms`).toBeLessThan(500);
  }
  await killAfter(project, 800, 'suspend');
  await project.ok('halt');
  expect(await project.status('m')).toMatchObject({ state: 'stopped' });
  await project.ok('up');
  expect(await inGuest(project, 'm', BOOT_ID)).not.toBe(bootId);
});

test('what does not fit any more: it boots from its disk, which is said with the reason; halt discards', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  await inGuest(project, 'm', 'echo unsynced >/root/note');
  await project.ok('suspend');
  const statePath = join(project.dir, '.vm/machines/m/memory.state');
  await changeByte(statePath, (await stat(statePath)).size / 2);
  const booted = await project.vm('resume');
  expect(booted).toMatchObject({ exitCode: 0, stdout: 'm is up, started from its disk\n' });
  expect(booted.stderr).toContain(
    'm: cannot go on where it was suspended, so what was in its memory is lost: the file that it was saved in is damaged',
  );
  // The guest was told to write it before its memory was saved.
  expect(await inGuest(project, 'm', 'cat /root/note')).toBe('unsynced');
  expect(existsSync(statePath)).toBe(false);

  const bootId = await inGuest(project, 'm', BOOT_ID);
  await project.ok('suspend');
  await project.write('Machinefile', oneTiny().replace('256', '300'));
  const resumed = await project.vm('up');
  expect(resumed.stderr).toContain('changed since it was started: memory; vm reload m applies it');
  expect(await inGuest(project, 'm', BOOT_ID)).toBe(bootId);
  await project.ok('suspend');
  expect(await project.ok('halt')).toBe('m is stopped; what was in its memory when it was suspended is discarded\n');
  expect(await project.ok('resume')).toBe('m is not suspended: vm up starts it\n');
});

test('a port that is taken: said with who has it, and the machine stays suspended', async () => {
  const port = await freePort();
  await using project = await TestProject.create({ files: { Machinefile: oneTiny(`ports: ["${port}:80"]`) } });
  await project.ok('up');
  const bootId = await inGuest(project, 'm', BOOT_ID);
  await project.ok('suspend');
  {
    await using _taken = await takePort(port);
    expect(await project.fails(1, 'resume')).toContain(`host port ${port} is already in use by`);
    expect(await project.status('m')).toMatchObject({ state: 'suspended' });
  }
  // Without a Machinefile that can be read it goes on with what it had.
  await project.write('Machinefile', 'machines: [');
  await project.ok('resume');
  await project.write('Machinefile', oneTiny(`ports: ["${port}:80"]`));
  expect(await inGuest(project, 'm', BOOT_ID)).toBe(bootId);
  await project.ok('suspend');
  await project.ok('port', 'add', 'm', '8099');
  await project.ok('up');
  expect((await project.status('m')).ports).toHaveLength(2);
  expect(await inGuest(project, 'm', BOOT_ID)).toBe(bootId);
});

test.runIf(isRoot)('a disk that fills while the memory is saved: said, and the guest runs on', async () => {
  await using small = await mountTmpfs('40m');
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() }, dir: small.dir });
  await project.ok('up');
  const bootId = await inGuest(project, 'm', BOOT_ID);
  expect(await project.fails(1, 'suspend')).toContain('the disk is full');
  expect(await project.status('m')).toMatchObject({ state: 'running' });
  expect(await inGuest(project, 'm', BOOT_ID)).toBe(bootId);
  await small.resize('400m');
  await project.ok('suspend');
  await project.ok('resume');
  expect(await inGuest(project, 'm', BOOT_ID)).toBe(bootId);
});
