import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findTool } from '../../src/host/exec.ts';
import { systemErrorCode } from '../../src/host/files.ts';
import { killWhen } from '../support/kill-when.ts';
import { makeOwnHome, type OwnHome } from '../support/own-home.ts';
import { TestProject, type TestProjectOptions } from '../support/test-project.ts';
import { mountTmpfs } from '../support/tmpfs.ts';

const isRoot = process.getuid?.() === 0;

const MACHINEFILE = 'machines: { web: { box: tiny, memory: 256MiB, warm: true, replicas: 3 } }\n';

function projectIn(home: OwnHome, options: Pick<TestProjectOptions, 'env' | 'dir'> = {}): Promise<TestProject> {
  const env = { VM_HOME: home.dir, ...options.env };
  return TestProject.create({ ...options, files: { Machinefile: MACHINEFILE }, env });
}

/** What is looked at is being made, and renamed. */
function ifThere<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return otherwise;
    throw error;
  }
}

const entriesOf = (dir: string) => ifThere(() => readdirSync(dir).map((name) => join(dir, name)), []);

/** The folders of templates, whole or not. */
const templates = ({ dir }: OwnHome) =>
  entriesOf(join(dir, 'layers')).filter((layer) => existsSync(join(layer, 'ram')));

/** The processes of machines that templates are made of. */
function workshopPids({ dir }: OwnHome): number[] {
  const machines = entriesOf(join(dir, 'workshops')).flatMap((workshop) => entriesOf(join(workshop, '.vm/machines')));
  return machines
    .map((machine) => Number(ifThere(() => readFileSync(join(machine, 'qemu.pid'), 'utf8'), '')))
    .filter((pid) => pid > 0);
}

async function isBooted(project: TestProject, machine: string): Promise<boolean> {
  const log = await readFile(join(project.dir, `.vm/machines/${machine}/serial.log`), 'utf8');
  return log.includes('Linux version');
}

/** What can be seen of how far a template is, in this order. */
const INSTANTS: Readonly<Record<string, (home: OwnHome) => boolean>> = {
  'boots the machine of it': (home) => workshopPids(home).length > 0,
  'saves its state': (home) => templates(home).some((dir) => existsSync(join(dir, 'memory.state'))),
  'has its disks': (home) => templates(home).some((dir) => existsSync(join(dir, 'root.qcow2'))),
};

test.each(Object.keys(INSTANTS))(
  'killed when it %s: the next machine has a template made, nothing is left',
  async (at) => {
    await using home = await makeOwnHome();
    await using project = await projectIn(home);
    let pids: readonly number[] = [];
    await killWhen(project.start('up', 'web-1'), () => {
      pids = workshopPids(home);
      return INSTANTS[at]?.(home) ?? false;
    });
    await project.ok('up', 'web-2');
    for (const pid of pids) expect(existsSync(`/proc/${pid}`), 'the machine of the killed one runs').toBe(false);
    expect(await readdir(join(home.dir, 'workshops'))).toEqual([]);
    await project.ok('up', 'web-3');
    expect(await isBooted(project, 'web-3')).toBe(false);
    expect(await project.ok('exec', 'web-3', '--', 'hostname')).toBe('web-3\n');
    await project.ok('destroy', '--yes');
    await project.ok('cache', 'prune', '--all', '--yes');
    expect(await readdir(join(home.dir, 'layers'))).toEqual([]);
  },
);

test('killed while it wakes a machine: the next up brings that up, as itself', async () => {
  await using home = await makeOwnHome();
  await using project = await projectIn(home);
  await project.ok('up', 'web-1');
  await killWhen(project.start('up', 'web-2'), () => existsSync(join(project.dir, '.vm/machines/web-2/qemu.pid')));
  await project.ok('up', 'web-2');
  expect(await project.ok('exec', 'web-2', '--', 'hostname')).toBe('web-2\n');
  const machineId = (machine: string) => project.ok('exec', machine, '--', 'cat', '/etc/machine-id');
  expect(await machineId('web-2')).not.toBe(await machineId('web-1'));
});

test('the cache is pruned while machines begin with a template: each comes up', async () => {
  await using home = await makeOwnHome();
  await using project = await projectIn(home);
  await project.ok('up', 'web-1');
  await project.ok('destroy', '--yes', 'web-1');
  const ups = [project.start('up', 'web-2'), project.start('up', 'web-3')];
  let hasEnded = false;
  const all = Promise.all(ups.map(({ ended }) => ended)).finally(() => {
    hasEnded = true;
  });
  while (!hasEnded) await project.ok('cache', 'prune', '--all', '--yes');
  for (const result of await all) expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  for (const name of ['web-2', 'web-3']) expect(await project.ok('exec', name, '--', 'hostname')).toBe(`${name}\n`);
});

test('QEMU is another one than when the template was made: the machine boots', async () => {
  await using home = await makeOwnHome();
  const binDir = join(home.dir, 'bin');
  await using project = await projectIn(home, { env: { PATH: `${binDir}:${process.env.PATH}` } });
  await project.ok('up', 'web-1');
  await mkdir(binDir);
  const qemu = join(binDir, 'qemu-system-x86_64');
  const real = findTool('qemu-system-x86_64');
  await writeFile(
    qemu,
    `#!/bin/sh\ncase "$*" in *-version*) echo 'QEMU emulator version 99.0.0' ;; *) exec ${real} "$@" ;; esac\n`,
  );
  await chmod(qemu, 0o755);
  await project.ok('up', 'web-2');
  expect(await isBooted(project, 'web-2')).toBe(true);
  expect(await project.ok('exec', 'web-2', '--', 'hostname')).toBe('web-2\n');
});

test.runIf(isRoot)('a disk that is full: no template is made, which is said, and the machine is up', async () => {
  await using tmpfs = await mountTmpfs('96m');
  await using home = await makeOwnHome(tmpfs.dir);
  await using project = await projectIn(home, { dir: join(tmpfs.dir, 'project') });
  const { stderr, exitCode } = await project.vm('up', 'web-1');
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain('warning: web-1: warm: its memory is not kept for other machines: ');
  expect(await readdir(join(home.dir, 'workshops'))).toEqual([]);
  expect(templates(home).filter((dir) => statSync(join(dir, 'ram')).size > 0)).toEqual([]);
  expect(await project.ok('exec', 'web-1', '--', 'hostname')).toBe('web-1\n');
});
