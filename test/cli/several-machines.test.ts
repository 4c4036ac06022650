import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createImage } from '../support/images.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

const MACHINEFILE = `
defaults: { box: ./disk.qcow2 }
machines:
  db:
  web:
  debug: { profiles: [debug] }
`;

async function createProject(): Promise<TestProject> {
  const project = await TestProject.create({
    files: { Machinefile: MACHINEFILE },
    tools: [tools.qemuImg, ...tools.fakeGuest],
  });
  await createImage(join(project.dir, 'disk.qcow2'));
  return project;
}

/** The names in a table of `vm status`. */
async function shown(project: TestProject, ...args: string[]): Promise<string[]> {
  const machines = JSON.parse(await project.ok('status', '--json', ...args)) as { machine: string; state: string }[];
  return machines.map(({ machine, state }) => `${machine} ${state}`);
}

describe('profiles', () => {
  test('a machine of an inactive one takes part where it is named, and while it exists', async () => {
    await using project = await createProject();
    expect(await shown(project)).toEqual(['db not_created', 'web not_created']);
    await project.ok('up');
    expect(await shown(project)).toEqual(['db running', 'web running']);
    await project.ok('up', 'debug');
    expect(await shown(project)).toEqual(['db running', 'web running', 'debug running']);
    expect((await project.ok('halt')).split('\n')).toContain('debug is stopped');
    await project.ok('up');
    expect(await shown(project)).toEqual(['db running', 'web running', 'debug stopped']);
    expect(await project.fails(2, 'up', '--recreate')).toContain('Destroy db, web and make them anew?');
    expect(await project.ok('destroy', '--yes')).toBe('db, web, debug destroyed\n');
  });

  test.each([
    { args: ['up', '--dry-run', '--profile', 'debug'], variable: undefined },
    { args: ['up', '--dry-run', '--profile=debug,debug', '--profile', 'debug'], variable: undefined },
    { args: ['up', '--dry-run'], variable: 'debug' },
  ])('$args with VM_PROFILES=$variable', async ({ args, variable }) => {
    await using project = await createProject();
    const { stdout } = await project.vmWith({ ...project.env, VM_PROFILES: variable }, ...args);
    expect(stdout.match(/^# \w+/gm)).toEqual(['# db', '# web', '# debug']);
    expect((await project.ok('up', '--dry-run')).match(/^# \w+/gm)).toEqual(['# db', '# web']);
  });

  test('one that no machine has', async () => {
    await using project = await createProject();
    const says = 'no machine has the profile “debgu” (allowed: debug; did you mean “debug”?)\n→ profiles are chosen by';
    expect(await project.fails(2, 'status', '--profile', 'debgu')).toContain(says);
    const { exitCode, stderr } = await project.vmWith({ ...project.env, VM_PROFILES: 'debgu' }, 'up');
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(says) });
  });
});

describe('while two run', async () => {
  const project = await createProject();
  await project.ok('up');
  afterAll(() => project[Symbol.asyncDispose]());

  const lines = (text: string) => text.split('\n').filter(Boolean).sort();

  test('exec: what they print, each line with its machine, where it belongs', async () => {
    const { stdout, stderr, exitCode } = await project.vm('exec', '*', '--', 'printf', 'a\\nb');
    expect({ stdout: lines(stdout), stderr, exitCode }).toEqual({
      stdout: ['db | a', 'db | b', 'web | a', 'web | b'],
      stderr: '',
      exitCode: 0,
    });
    const failing = await project.vm('exec', 'db', 'web', '--', 'ls', '/nonexistent');
    expect(failing).toMatchObject({ stdout: '' });
    expect(failing.stderr).toMatch(/^db \| .*\/bin\/sh/m);
  });

  test('exec: the exit code of each that failed, and the first as the whole', async () => {
    const { exitCode, stderr } = await project.vm('exec', '*', '--', 'exit', '3');
    expect(exitCode).toBe(3);
    expect(lines(stderr)).toEqual(['db', 'web'].map((name) => `warning: ${name}: the command ended with exit code 3`));
    const { stdout } = await project.vm('exec', '--json', '*', '--', 'exit', '3');
    expect(JSON.parse(lines(stdout).find((line) => line.includes('result')) ?? '')).toEqual({
      type: 'result',
      machines: [
        { machine: 'db', exit_code: 3 },
        { machine: 'web', exit_code: 3 },
      ],
    });
  });

  test('exec: one that cannot be reached does not stop the others, nor hide how they ended', async () => {
    const { stdout, stderr, exitCode } = await project.vm(
      'exec',
      '*',
      'debug',
      '--',
      '/bin/sh',
      '-c',
      'echo hello; exit 4',
    );
    expect({ stdout: lines(stdout), exitCode }).toEqual({ stdout: ['db | hello', 'web | hello'], exitCode: 1 });
    expect(stderr).toContain('warning: db: the command ended with exit code 4\n');
    expect(stderr).toContain('vm: debug is not created\n');
  });

  test('logs: one as it is, several line by line with their machine', async () => {
    for (const name of ['db', 'web']) {
      await writeFile(join(project.dir, `.vm/machines/${name}/serial.log`), `one\r\n${name} ü`);
    }
    expect(await project.ok('logs', 'db')).toBe('one\r\ndb ü');
    expect(await project.ok('logs')).toBe('db | one\ndb | db ü\nweb | one\nweb | web ü\n');
    expect(await project.ok('logs', 'web', '--json')).toBe(
      `${JSON.stringify({ type: 'log', machine: 'web', text: 'one\r\nweb ü' })}\n`,
    );
    expect(await project.fails(1, 'logs', 'db', 'debug')).toContain('vm: debug is not created');
  });

  test('logs -f: all of them, as they come', async () => {
    for (const name of ['db', 'web']) await writeFile(join(project.dir, `.vm/machines/${name}/serial.log`), '');
    const following = project.start('logs', '-f', '*');
    let heard = '';
    following.child.stdout?.on('data', (bytes) => {
      heard += String(bytes);
    });
    for (const [name, text] of [
      ['web', 'first\nha'],
      ['db', 'second\n'],
      ['web', 'lf\n'],
    ] as const) {
      await appendFile(join(project.dir, `.vm/machines/${name}/serial.log`), text);
      await expect
        .poll(() => heard, { timeout: 10_000 })
        .toMatch(new RegExp(`^${name} \\| .*${text.split('\n')[0]}$`, 'm'));
    }
    await expect.poll(() => heard, { timeout: 10_000 }).toBe('web | first\ndb | second\nweb | half\n');
    following.child.kill('SIGINT');
    expect(await following.ended).toMatchObject({ exitCode: 130 });
  });
});
