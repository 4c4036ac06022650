import { readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createImage } from '../support/images.ts';
import { tinies } from '../support/machinefiles.ts';
import { runVm } from '../support/run-vm.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

const ON_DISK = 'machines: { m: { box: ./disk.qcow2 } }';

/** A project with one machine, `m`, that exists and is stopped: its QEMU did not start. */
async function projectWithMachine(): Promise<TestProject> {
  const project = await TestProject.create({
    files: { Machinefile: ON_DISK },
    tools: [tools.qemuImg, tools.failingQemu],
  });
  await createImage(join(project.dir, 'disk.qcow2'));
  await project.fails(1, 'up');
  return project;
}

test('machines that do not exist yet', async () => {
  await using project = await TestProject.create({ files: { Machinefile: tinies('db', 'web') }, tools: [] });
  expect(await project.ok('status')).toBe(
    [
      'MACHINE  STATE        PROVIDER  UPTIME  SSH  PORTS',
      'db       not_created  qemu      -       -    -',
      'web      not_created  qemu      -       -    -',
      '',
    ].join('\n'),
  );
  const nothing = {
    state: 'not_created',
    reason: null,
    provider: 'qemu',
    box: 'tiny',
    ssh: null,
    ports: [],
    addresses: {},
    networks: [],
    health: null,
    provisioned: false,
    pid: null,
    started_at: null,
  };
  const documents = JSON.parse(await project.ok('status', '--json'));
  expect(documents).toEqual([
    { machine: 'db', ...nothing },
    { machine: 'web', ...nothing },
  ]);
  expect(await project.ok('status', 'w*', '--json')).toBe(`${JSON.stringify([documents[1]])}\n`);
  expect(await project.fails(2, 'status', 'wep')).toContain(
    'no machine is called wep\n→ machines of this project: db, web',
  );
  expect(await project.ok('list', '--all')).toMatch(/^MACHINE .* PROJECT\n$/);
});

test('a record that is damaged: broken, with the reason and the way out', async () => {
  await using project = await projectWithMachine();
  expect(await project.status('m')).toMatchObject({ state: 'stopped', box: 'disk.qcow2', pid: null, ssh: null });
  await writeFile(join(project.dir, '.vm/machines/m/record.json'), '{"format":');
  expect(await project.status('m')).toMatchObject({ state: 'broken', reason: expect.stringContaining('is not JSON') });
  expect(await project.ok('status')).toMatch(/^m +broken \(the record of m is damaged/m);
  expect(await project.fails(1, 'halt')).toContain('→ vm destroy m removes the machine');
  expect(await project.ok('box', 'list')).toMatch(/^disk\.qcow2 /m);
  expect(await project.fails(1, 'box', 'remove', 'disk.qcow2')).toContain('may be in use by m in');
  expect(await project.ok('destroy', '--yes')).toBe('m destroyed\n');
});

test('a box whose description is damaged: which one, and what to do', async () => {
  await using project = await projectWithMachine();
  const boxesDir = join(String(project.env.VM_HOME), 'boxes');
  const [key = ''] = await readdir(boxesDir);
  await writeFile(join(boxesDir, key, 'box.json'), '{');
  expect(await project.fails(1, 'box', 'list')).toContain(`${key}/box.json is not JSON\n→ restore it from a copy`);
});

test('a Machinefile that is broken or gone: what exists is shown, and the rest is not passed over in silence', async () => {
  await using project = await projectWithMachine();
  await project.write('Machinefile', 'machines: [');
  const broken = await project.vm('status');
  expect(broken).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^m +stopped/m) });
  expect(broken.stderr).toContain('warning: the Machinefile cannot be read');
  expect(await project.fails(2, 'ssh', 'web')).toMatch(/^Machinefile:1:\d+: not valid YAML/);
  await rm(join(project.dir, 'Machinefile'));
  expect(await project.status('m')).toMatchObject({ state: 'stopped' });
  expect(await project.ok('destroy', '--yes')).toBe('m destroyed\n');
  await project.write('Machinefile', 'machines: [');
  expect(await project.fails(2, 'status')).toMatch(/^Machinefile:1:\d+: not valid YAML/);
  expect(await project.ok('destroy')).toBe('nothing to destroy\n');
});

test('list --all knows the machines of other projects, also from outside', async () => {
  await using project = await projectWithMachine();
  const { stdout } = await runVm({ args: ['list', '--all'], cwd: dirname(project.dir), env: project.env });
  expect(stdout).toMatch(new RegExp(`^m +stopped .* ${project.dir}$`, 'm'));
});

test.each([
  ['exec m -- true', 1],
  ['ssh m', 1],
  ['port m', 1],
  ['logs m', 1],
  ['logs -f m', 1],
  ['ssh-config m', 1],
  ['provision m', 1],
  ['console m', 2],
])('a machine that is not created: vm %s', async (line, exitCode) => {
  await using project = await TestProject.create({ files: { Machinefile: ON_DISK, 'disk.qcow2': '' }, tools: [] });
  const says = exitCode === 1 ? 'vm: m is not created\n→ vm up m creates it\n' : 'vm: vm console needs a terminal\n';
  expect(await project.fails(exitCode, ...line.split(' '))).toContain(says);
  expect(project.leftovers()).toEqual([]);
});

test('what stops or removes takes a machine that is not created for done', async () => {
  await using project = await TestProject.create({ files: { Machinefile: tinies('m') }, tools: [] });
  expect(await project.ok('halt')).toBe('m is not created\n');
  expect(await project.ok('destroy')).toBe('nothing to destroy\n');
  expect(await project.ok('sync')).toBe('no machine here has a synced folder\n');
  expect(project.leftovers()).toEqual([]);
});

test('several machines and none named: which one is asked', async () => {
  await using project = await TestProject.create({ files: { Machinefile: tinies('db', 'web') }, tools: [] });
  expect(await project.fails(2, 'ssh')).toContain('which machine? db, web\n→ name one, or set primary: true');
});
