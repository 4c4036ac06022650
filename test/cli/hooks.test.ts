import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { identifyProcess, isAlive, type ProcessIdentity } from '../../src/host/processes.ts';
import { createImage } from '../support/images.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

const runProgram = promisify(execFile);

/** Appends the moment and its arguments to `told`; fails where a file is called like the moment. */
const TELL = `#!/bin/sh
echo "$VM_HOOK $*" | tee -a told
[ ! -e "$VM_HOOK" ] || { echo "no $VM_HOOK today" >&2; exit 7; }
`;
const MOMENTS = ['up', 'halt', 'destroy', 'provision'].flatMap((name) => [`before_${name}`, `after_${name}`]);
const ALL_HOOKS = `{ ${MOMENTS.map((name) => `${name}: ./tell`).join(', ')} }`;

/** A project with one machine, `m`, whose guest is a fake. */
async function projectWith(hooks: string, more = ''): Promise<TestProject> {
  const Machinefile = `machines: { m: { box: ./disk.qcow2, hooks: ${hooks}${more} } }\n`;
  const project = await TestProject.create({
    files: { Machinefile },
    tools: [tools.qemuImg, ...tools.fakeGuest, '/usr/bin/tee'],
    name: 'my shop',
  });
  await createImage(join(project.dir, 'disk.qcow2'));
  await project.write('tell', TELL, 0o755);
  return project;
}

/** What the hooks have told since the last call. */
async function told(project: TestProject): Promise<string[]> {
  const path = join(project.dir, 'told');
  const text = await readFile(path, 'utf8').catch(() => '');
  await rm(path, { force: true });
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => line.trimEnd());
}

const around = (...names: string[]) => names.flatMap((name) => [`before_${name}`, `after_${name}`]);

test('each operation has its own, at each command that does it', async () => {
  await using project = await projectWith(ALL_HOOKS, ', provision: [{ shell: id }]');
  const up = await project.vm('up');
  expect(up).toMatchObject({ exitCode: 0 });
  expect(up.stderr).toMatch(/^m \| before_up $/m);
  expect(up.stderr).toMatch(/^✔ m: hook before_up .*\nm: what its steps do is not kept .*\n✔ m: create /m);
  expect(await told(project)).toEqual(['before_up', 'before_provision', 'after_provision', 'after_up']);

  await project.ok('up');
  expect(await told(project), 'up of what is up').toEqual(around('up'));
  await project.ok('provision');
  expect(await told(project)).toEqual(around('provision'));
  await project.ok('reload');
  expect(await told(project)).toEqual(around('halt', 'up'));
  await project.ok('halt');
  expect(await told(project)).toEqual(around('halt'));
  await project.ok('halt');
  expect(await told(project), 'halt of what is halted').toEqual([]);
  await project.ok('up', '--recreate', '--yes', '--no-provision');
  expect(await told(project)).toEqual(['before_up', 'before_destroy', 'after_destroy', 'after_up']);
  await project.ok('destroy', '--yes');
  expect(await told(project)).toEqual(around('destroy'));
  await project.ok('destroy', '--yes');
  expect(await told(project), 'destroy of nothing').toEqual([]);
});

test('--no-hooks: none', async () => {
  await using project = await projectWith(ALL_HOOKS, ', provision: [{ shell: id }]');
  for (const line of ['up', 'provision', 'reload', 'halt', 'destroy --yes']) {
    await project.ok(...line.split(' '), '--no-hooks');
  }
  expect(await told(project)).toEqual([]);
});

test('several commands, in their order, with their words as they are', async () => {
  await using project = await projectWith(`{ before_up: ["./tell a 'b  c'", [./tell, "$$HOME", "d | e", 1.10]] }`);
  await project.ok('up');
  expect(await told(project)).toEqual(['before_up a b  c', 'before_up $HOME d | e 1.10']);
});

test('the variables: of the machine as it is then, and none of another', async () => {
  const show = (name: string) =>
    `[[sh, -c, 'echo "$$VM_PROJECT,$$VM_PROJECT_DIR,$$VM_MACHINE,$$VM_SSH_USER@$$VM_SSH_HOST:$$VM_SSH_PORT,$$VM_SSH_KEY,$$PWD" >${name}']]`;
  await using project = await projectWith(`{ before_up: ${show('first')}, after_up: ${show('then')} }`);
  await runProgram('ln', ['-s', '/bin/sh', join(project.dir, '../bin/sh')]);
  const { exitCode } = await project.vmWith({ ...project.env, VM_SSH_HOST: 'elsewhere', VM_SSH_KEY: '/k' }, 'up');
  expect(exitCode).toBe(0);
  const read = (name: string) => readFile(join(project.dir, name), 'utf8');
  const { ssh } = await project.status('m');
  expect(await read('first')).toBe(`my-shop,${project.dir},m,@:,,${project.dir}\n`);
  const key = join(project.dir, '.vm/machines/m/id_ed25519');
  expect(await read('then')).toBe(`my-shop,${project.dir},m,vm@127.0.0.1:${ssh?.port},${key},${project.dir}\n`);
});

describe('one that fails', () => {
  test.each([
    { name: 'before_up', command: 'up', state: 'not_created', says: 'nothing was done with m; --no-hooks goes on' },
    { name: 'before_provision', command: 'up', state: 'running', says: 'no provisioning step was run; --no-hooks' },
    { name: 'after_provision', command: 'up', state: 'running', says: 'its steps are done; vm provision m runs them' },
    { name: 'after_up', command: 'up', state: 'running', says: 'm is left running; vm up m runs the hook again' },
    { name: 'before_halt', command: 'halt', state: 'running', says: 'm was not halted; --no-hooks goes on' },
    { name: 'after_halt', command: 'halt', state: 'stopped', says: 'm is halted all the same' },
    { name: 'before_destroy', command: 'destroy --yes', state: 'running', says: 'm was not destroyed; --no-hooks' },
    { name: 'after_destroy', command: 'destroy --yes', state: 'not_created', says: 'm is destroyed all the same' },
  ])('$name', async ({ name, command, state, says }) => {
    await using project = await projectWith(ALL_HOOKS, ', provision: [{ shell: id }]');
    if (command !== 'up') await project.ok('up');
    await project.write(name, '');
    const error = await project.fails(1, ...command.split(' '));
    expect(error).toContain(`✖ m: hook ${name} failed after`);
    expect(error).toContain(`vm: m: hook ${name} failed: ./tell ended with exit code 7:`);
    expect(error).toMatch(new RegExp(`^ {2}no ${name} today$`, 'm'));
    expect(error).toContain(`\n→ ${says}`);
    expect(await project.status('m')).toMatchObject({ state });
    await rm(join(project.dir, name));
  });

  test('the commands after it are not run', async () => {
    await using project = await projectWith('{ before_up: [./tell one, ./tell two] }');
    await project.write('before_up', '');
    await project.fails(1, 'up');
    expect(await told(project)).toEqual(['before_up one']);
  });

  test('because there is no such program, or it is not executable', async () => {
    await using project = await projectWith('{ before_up: ./nothing, after_up: frobnicate -x }');
    expect(await project.fails(1, 'up')).toContain(
      'vm: m: hook before_up cannot run: there is no program ./nothing\n→ ',
    );
    await project.write('nothing', '#!/bin/sh\n');
    expect(await project.fails(1, 'up')).toContain('there is no program ./nothing\n→ ');
    await project.write('nothing', '#!/bin/sh\n', 0o755);
    expect(await project.fails(1, 'up')).toContain(
      'hook after_up cannot run: there is no program frobnicate\n→ m is left',
    );
  });

  test('in JSON', async () => {
    await using project = await projectWith(ALL_HOOKS);
    await project.write('before_up', '');
    const { stdout } = await project.vm('up', '--json');
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events).toContainEqual({ type: 'output', subject: 'm', stream: 'stderr', line: 'no before_up today' });
    expect(events.at(-1)).toMatchObject({ type: 'error', error: 'CommandError', exit_code: 1 });
  });
});

test('a Machinefile that is broken or gone: halt and destroy go by the record, without hooks', async () => {
  await using project = await projectWith(ALL_HOOKS);
  await project.ok('up');
  await told(project);
  await project.write('Machinefile', 'machines: [');
  await project.ok('halt');
  await rm(join(project.dir, 'Machinefile'));
  await project.ok('destroy', '--yes');
  expect(await told(project)).toEqual([]);
});

describe('it ends with vm', () => {
  /** Writes its own process and one in the background to the pipe `begun`, and waits for ever. */
  const HANG =
    '#!/bin/sh\n[ -z "$1" ] || trap "" TERM\n(read -r line <end) &\necho "$$ $!" >begun\nread -r line <end\n';

  async function startHanging(project: TestProject): Promise<readonly ProcessIdentity[]> {
    const pids = (await readFile(join(project.dir, 'begun'), 'utf8')).trim().split(' ').map(Number);
    const processes = pids.map(identifyProcess).filter((process) => process !== undefined);
    expect(processes).toHaveLength(2);
    return processes;
  }

  async function hangingProject(hook: string): Promise<TestProject> {
    const project = await projectWith(`{ before_up: ${hook} }`);
    await project.write('hang', HANG, 0o755);
    await runProgram(
      'mkfifo',
      ['begun', 'end'].map((name) => join(project.dir, name)),
    );
    return project;
  }

  test.each(['./hang', './hang stubborn'])('Ctrl-C stops %s, and what it started', async (hook) => {
    await using project = await hangingProject(hook);
    const up = project.start('up');
    const processes = await startHanging(project);
    up.child.kill('SIGINT');
    expect(await up.ended).toMatchObject({
      exitCode: 130,
      stderr: expect.stringContaining('vm: interrupted; m is not created\n'),
    });
    expect(processes.filter(isAlive)).toEqual([]);
  });

  test('also where vm is killed', async () => {
    await using project = await hangingProject('./hang');
    const up = project.start('up');
    const processes = await startHanging(project);
    up.child.kill('SIGKILL');
    await up.ended;
    await expect.poll(() => processes.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  });
});

test('what it leaves in the background stays', async () => {
  await using project = await projectWith('{ before_up: ./serve }');
  await project.write('serve', '#!/bin/sh\n(read -r line <end) >/dev/null 2>&1 &\necho $! >pid\n', 0o755);
  await runProgram('mkfifo', [join(project.dir, 'end')]);
  await project.ok('up');
  const server = identifyProcess(Number(await readFile(join(project.dir, 'pid'), 'utf8')));
  expect(server).toBeDefined();
  await writeFile(join(project.dir, 'end'), 'stop\n');
});
