import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { storeFakeBox } from '../support/fake-box.ts';
import { createImage } from '../support/images.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

const STEPS = `provision: [{ name: app, shell: { path: ./app.sh, args: [a], env: { A: "1" } } }, { name: db, shell: echo db }]`;

function machinefile(settings: string, box = 'tiny'): string {
  return `machines: { m: { box: ${box}, ${settings} } }\n`;
}

/** A project whose machine is a fake guest on a box of our own. */
async function projectWith(settings: string): Promise<TestProject> {
  const project = await TestProject.create({
    files: { Machinefile: machinefile(settings), 'app.sh': 'echo app\n' },
    tools: [tools.qemuImg, ...tools.fakeGuest],
  });
  await storeFakeBox(String(project.env.VM_HOME), 'tiny');
  await createImage(join(project.dir, 'disk.qcow2'));
  return project;
}

/** What `vm plan --json` says of the only machine, and in words. */
async function planOf(project: TestProject, ...options: readonly string[]) {
  const [machine] = JSON.parse(await project.ok('plan', '--json', ...options));
  return { ...machine, text: await project.ok('plan', ...options) };
}

/** What is below a folder, with its content, to see whether it changes. */
async function contentOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.sort().map(async (path) => `${path} ${(await readFile(path)).toString('base64')}`));
}

test('a machine that is not created: from where, and its steps; nothing is made', async () => {
  await using project = await projectWith(STEPS);
  const before = await contentOf(project.dir);
  expect(await planOf(project)).toMatchObject({
    action: 'create',
    box: { name: 'tiny', get: null },
    steps: [
      { step: 'app', state: 'new', runs: true, script: join(project.dir, 'app.sh') },
      { step: 'db', state: 'new', runs: true, script: null },
    ],
    settings: [],
    up_to_date: false,
    text: expect.stringMatching(/^m would be created from tiny \S+\n {2}step app: would run \(new\)\n/),
  });
  expect(await contentOf(project.dir)).toEqual(before);
});

describe('a box that is not here: how it would be got, without getting it', () => {
  test.each([
    ['tiny', { name: 'tiny', get: 'build', from: 'the recipe tiny' }],
    ['./disk.qcow2', { get: 'import', from: expect.stringContaining('/disk.qcow2') }],
    ['ubuntu/24.04', { get: 'download', from: expect.stringContaining('catalog.yaml') }],
    ['https://boxes.invalid/x.qcow2', { get: 'download' }],
    ['oci://boxes.invalid/team/app:1', { get: 'download' }],
  ])('%s', async (box, expected) => {
    await using project = await TestProject.create({ files: { Machinefile: machinefile('', box) }, tools: [] });
    await createImage(join(project.dir, 'disk.qcow2'));
    expect(await planOf(project)).toMatchObject({ action: 'create', box: { version: null, ...expected } });
    expect(await readdir(project.dir)).toEqual(['Machinefile', 'disk.qcow2']);
  });

  test('no such box', async () => {
    await using project = await TestProject.create({ files: { Machinefile: machinefile('', 'tyni') }, tools: [] });
    expect(await planOf(project)).toMatchObject({ action: 'fail', reason: 'there is no box called tyni' });
  });
});

describe('of a machine that exists', () => {
  test('up to date, stopped, as recreated; the exit code says whether anything is to be done', async () => {
    await using project = await projectWith(STEPS);
    await project.ok('up');
    const before = await contentOf(project.dir);
    const upToDate = await planOf(project);
    expect(upToDate).toMatchObject({ action: 'none', up_to_date: true });
    expect(upToDate.text).toBe('m is up to date\n  step app: done\n  step db: done\n');
    expect((await project.vm('plan', '--exit-code')).exitCode).toBe(0);
    expect(await planOf(project, '--recreate')).toMatchObject({
      action: 'recreate',
      steps: [{ state: 'cached' }, { state: 'cached' }],
    });
    expect(await contentOf(project.dir)).toEqual(before);
    await project.ok('halt');
    expect(await planOf(project)).toMatchObject({ action: 'start', up_to_date: false });
    expect((await project.vm('plan', '--exit-code')).exitCode).toBe(3);
    expect((await project.vm('plan')).exitCode).toBe(0);
  });

  test('waits for no command that works on it', async () => {
    await using project = await projectWith('hooks: { after_up: [sleep, "60"] }');
    await project.ok('up', '--no-hooks');
    const up = project.start('up', '--json');
    await new Promise((resolve) => up.child.stdout?.once('data', resolve));
    expect(await planOf(project)).toMatchObject({ action: 'none' });
    up.child.kill('SIGKILL');
    await up.ended;
  });

  test.each([
    ['script', 'app.sh', 'echo other\n', 'script app.sh'],
    ['args', 'Machinefile', machinefile(STEPS.replace('args: [a]', 'args: [b]')), 'args'],
    ['env', 'Machinefile', machinefile(STEPS.replace('A: "1"', 'A: "2"')), 'env'],
    ['privileged', 'Machinefile', machinefile(STEPS.replace('args:', 'privileged: false, args:')), 'privileged'],
  ])('a step whose %s changed: that it did, and how to run it again', async (part, file, text, words) => {
    await using project = await projectWith(STEPS);
    await project.ok('up');
    await project.write(file, text);
    expect(await planOf(project)).toMatchObject({
      action: 'none',
      up_to_date: false,
      steps: [{ step: 'app', state: 'changed', runs: false, changed: [part] }, { state: 'done' }],
      text: expect.stringContaining(
        `step app: changed since it ran (${words}): vm provision m --with app runs it again`,
      ),
    });
    const { stdout, stderr } = await project.vm('up');
    expect(stderr).toContain(`step app changed since it ran (${part}); vm provision m --with app runs it again`);
    expect(stdout).toContain('1 step done, 1 changed');
    await project.ok('provision', '--with', 'app');
    expect(await planOf(project)).toMatchObject({ up_to_date: true });
  });

  test('steps that changed places, or are gone', async () => {
    await using project = await projectWith(STEPS);
    await project.ok('up');
    await project.write('Machinefile', machinefile('provision: [{ name: db, shell: echo db }]'));
    expect(await planOf(project)).toMatchObject({ removed_steps: ['app'], up_to_date: false });
    expect((await project.vm('up')).stderr).toContain('steps ran that are not in the Machinefile any more: app');
    const turned = STEPS.replace(/\[({.*}), ({ name: db.*})]/, '[$2, $1]');
    await project.write('Machinefile', machinefile(turned));
    expect((await planOf(project)).steps).toMatchObject([
      { step: 'db', state: 'done', changed: ['order'] },
      { step: 'app', state: 'done', changed: [] },
    ]);
    expect((await project.vm('up')).stderr).toContain('steps ran in another order: db; vm up --recreate m');
  });
});

describe('settings: what an edit needs, said by plan and by up', () => {
  const running = (setting: string, needs: string, command: string) => ({ setting, needs, command });

  test('live: up applies it', async () => {
    await using project = await projectWith('memory: 256MiB');
    await project.ok('up');
    const edits =
      'ports: ["80"], environment: { A: b }, halt_timeout: 5s, ssh: { forward_agent: true, extra_args: [-v] }';
    await project.write('Machinefile', machinefile(`memory: 256MiB, ${edits}`));
    const names = ['ports', 'environment', 'ssh.forward_agent', 'ssh.extra_args', 'halt_timeout'];
    expect((await planOf(project)).settings).toEqual(names.map((name) => running(name, 'live', 'vm up m')));
    await project.ok('up');
    expect(await planOf(project)).toMatchObject({ settings: [], up_to_date: true });
    await project.ok('halt');
  });

  test('reload: by a reload while it runs, by any start else', async () => {
    await using project = await projectWith('memory: 256MiB');
    await project.ok('up');
    await project.write('Machinefile', machinefile('memory: 512MiB, disk: 1GiB'));
    const pending = ['memory', 'disk'].map((name) => running(name, 'reload', 'vm reload m'));
    expect((await planOf(project)).settings).toEqual(pending);
    const { stderr, stdout } = await project.vm('up');
    expect(stderr).toContain('changed since it was started: memory, disk; vm reload m applies it');
    expect(stdout).toContain('; not applied: memory, disk\n');
    await project.ok('halt');
    expect((await planOf(project)).settings).toMatchObject([{ command: 'vm up m' }, { command: 'vm up m' }]);
    await project.ok('up');
    expect(await planOf(project)).toMatchObject({ settings: [], up_to_date: true });
  });

  test('recreate: running or stopped, up goes on without it and says so; firmware stays as it was made', async () => {
    await using project = await projectWith('memory: 256MiB');
    await project.ok('up');
    await project.write('Machinefile', machinefile('memory: 256MiB, firmware: uefi', './disk.qcow2'));
    const settings = ['box', 'firmware'].map((name) => running(name, 'recreate', 'vm up --recreate m'));
    for (const isStopped of [false, true]) {
      if (isStopped) await project.ok('halt');
      expect((await planOf(project)).settings).toEqual(settings);
      const { stderr, exitCode } = await project.vm('up');
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      expect(stderr).toContain('stands on tiny');
      expect(stderr).toContain('changed since it was made: firmware; vm up --recreate m changes it and loses');
    }
  });

  test('a disk that would shrink: what up fails with', async () => {
    await using project = await projectWith('disk: 2GiB');
    await project.ok('up');
    await project.write('Machinefile', machinefile('disk: 1GiB'));
    expect((await planOf(project)).settings).toEqual([running('disk', 'recreate', 'vm up --recreate m')]);
    expect((await project.vm('up')).stderr).toContain('changed since it was made: disk; vm up --recreate m');
    await project.ok('halt');
    const reason = 'disk: a disk cannot shrink, nor change its format';
    expect(await planOf(project)).toMatchObject({ action: 'fail', reason });
    expect(await project.fails(1, 'up')).toContain('a disk cannot shrink');
  });

  test('cloud-init: what it took at the first boot stays, also over a reload', async () => {
    await using project = await projectWith('');
    await project.write('Machinefile', machinefile('ssh: { user: one }', './disk.qcow2'));
    await project.ok('up');
    const edited = 'ssh: { user: two }, cloud_init: { user_data: ./user-data }';
    await project.write('user-data', '#cloud-config\n');
    await project.write('Machinefile', machinefile(edited, './disk.qcow2'));
    const settings = ['ssh.user', 'cloud_init'].map((name) => running(name, 'recreate', 'vm up --recreate m'));
    expect((await planOf(project)).settings).toEqual(settings);
    expect((await project.vm('reload')).stderr).toContain('changed since it was made: ssh.user, cloud_init; vm up');
    expect(await project.status('m')).toMatchObject({ ssh: { user: 'one' } });
    expect((await planOf(project)).settings).toEqual(settings);
  });

  test('cloud-init: a machine whose QEMU did not start has taken nothing yet', async () => {
    await using project = await TestProject.create({
      files: { Machinefile: machinefile('ssh: { user: one }', './disk.qcow2') },
      tools: [tools.qemuImg, tools.failingQemu],
    });
    await createImage(join(project.dir, 'disk.qcow2'));
    await project.fails(1, 'up');
    await project.write('Machinefile', machinefile('ssh: { user: two }', './disk.qcow2'));
    expect((await planOf(project)).settings).toEqual([running('ssh.user', 'reload', 'vm up m')]);
    await project.fails(1, 'up');
    expect(await planOf(project)).toMatchObject({ settings: [] });
    expect(await project.ok('ssh-config')).toContain('User two');
  });

  test('a machine of an older vm: nothing is made up, and it stays known what a start took up', async () => {
    await using project = await projectWith(`memory: 256MiB, ${STEPS}`);
    await project.ok('up');
    const recordPath = join(project.dir, '.vm/machines/m/record.json');
    const { madeWith, hasBooted, ...record } = JSON.parse(await readFile(recordPath, 'utf8'));
    expect({ madeWith, hasBooted }).toMatchObject({ madeWith: { firmware: 'bios' }, hasBooted: true });
    for (const step of Object.values<Record<string, unknown>>(record.steps)) {
      delete step.parts;
      delete step.after;
    }
    await writeFile(recordPath, JSON.stringify(record));
    await project.write('Machinefile', machinefile(`memory: 512MiB, firmware: uefi, ${STEPS.replace('[a]', '[b]')}`));
    expect(await planOf(project)).toMatchObject({
      settings: [{ setting: 'memory' }],
      steps: [{ state: 'changed', changed: [] }, { state: 'done' }],
    });
  });
});

test('what up would fail with is said of each machine, beside the plans of the others', async () => {
  await using project = await TestProject.create({
    files: { Machinefile: 'defaults: { box: tiny }\nmachines: { a: {}, b: {} }\n' },
    tools: [tools.qemuImg, ...tools.fakeGuest],
  });
  await storeFakeBox(String(project.env.VM_HOME), 'tiny');
  await project.ok('up');
  await writeFile(join(project.dir, '.vm/machines/a/record.json'), '{');
  expect(JSON.parse(await project.ok('plan', '--json'))).toMatchObject([
    { machine: 'a', action: 'fail', reason: expect.stringContaining('the record of a is damaged') },
    { machine: 'b', action: 'none' },
  ]);
  await project.ok('halt', 'b');
  await rm(join(project.dir, '.vm/machines/b/disk.qcow2'));
  expect(await project.ok('plan', 'b')).toMatch(/^b could not be brought up: its disk .* is gone\n/);
});

test('dependencies are planned, too, and never made anew', async () => {
  await using project = await TestProject.create({
    files: { Machinefile: 'defaults: { box: tiny }\nmachines: { web: { depends_on: [db] }, db: {} }\n' },
    tools: [],
  });
  await storeFakeBox(String(project.env.VM_HOME), 'tiny');
  const namesOf = async (...args: readonly string[]) =>
    JSON.parse(await project.ok('plan', 'web', '--json', ...args)).map(({ machine }: { machine: string }) => machine);
  expect(await namesOf()).toEqual(['db', 'web']);
  expect(await namesOf('--no-deps')).toEqual(['web']);
});
