import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { loadAllCommands } from '../../src/cli/commands/index.ts';
import { tinies } from '../support/machinefiles.ts';
import { runVm } from '../support/run-vm.ts';
import { TestProject } from '../support/test-project.ts';

const project = await TestProject.create({ files: {}, tools: [] });
const path = join(project.dir, 'Machinefile');

beforeEach(async () => {
  await rm(project.dir, { recursive: true });
  await mkdir(project.dir);
});

afterAll(() => project[Symbol.asyncDispose]());

describe('init', () => {
  test('writes a Machinefile that is valid, and never over another', async () => {
    expect(await project.ok('init')).toBe('wrote Machinefile; vm up starts what it describes\n');
    await project.ok('validate');
    const written = await readFile(path, 'utf8');
    await project.write('Machinefile', 'mine');
    expect(await project.fails(2, 'init')).toContain(`${path} exists already\n→ edit it, or overwrite it with --force`);
    expect(await readFile(path, 'utf8')).toBe('mine');
    await project.ok('init', '--force');
    expect(await readFile(path, 'utf8')).toBe(written);
  });

  test('a box, and a template', async () => {
    await project.ok('init', 'tiny', '--template', 'two-machines');
    expect(await project.ok('config', '--json')).toContain('"box":{"name":"tiny"}');
  });

  test('an unknown template names the others, and writes nothing', async () => {
    expect(await project.fails(2, 'init', '-t', 'wbe')).toMatch(/no template “wbe” \(allowed: default, .*“web”\?\)/);
    await expect(readFile(path)).rejects.toThrow('ENOENT');
  });

  test.each(['default', 'sandbox', 'two-machines', 'web'])('%s speaks only of commands there are', async (template) => {
    await project.ok('init', '--template', template);
    const text = await readFile(path, 'utf8');
    const names = [...text.matchAll(/`vm ([a-z-]+)/g)].map(([, name]) => name);
    const commands = await loadAllCommands();
    expect(commands.map(({ name }) => name.split(' ')[0])).toEqual(expect.arrayContaining(names));
  });
});

describe('validate', () => {
  test('a good one', async () => {
    await project.write('Machinefile', tinies('db', 'web'));
    expect(await project.ok('validate')).toBe('the Machinefile is valid: db, web\n');
  });

  test('every mistake at once, with its place relative to where one stands', async () => {
    await project.write('Machinefile', 'machines:\n  web: { box: tiny, cpus: lots }\n  db: { boxx: tiny }\n');
    const mistakes = [/^Machinefile:2:\d+: “cpus” must be/m, /^Machinefile:3:\d+: unknown key “boxx”.*“box”/m];
    const error = await project.fails(2, 'validate');
    for (const mistake of mistakes) expect(error).toMatch(mistake);
    await mkdir(join(project.dir, 'below'));
    const below = await runVm({ args: ['validate'], cwd: join(project.dir, 'below'), env: project.env });
    expect(below).toMatchObject({ exitCode: 2, stdout: '' });
    expect(below.stderr).toMatch(/^\.\.\/Machinefile:2:\d+: /m);
  });
});

test('config prints what the Machinefile means, as a Machinefile that means the same', async () => {
  await project.write('Machinefile', tinies('web'));
  const yaml = await project.ok('config');
  expect(yaml).toContain('memory: 256MiB');
  await project.write('again.yaml', yaml);
  expect(await project.ok('-f', 'again.yaml', 'config', '--json')).toBe(await project.ok('--json', 'config'));
});

describe('which Machinefile', () => {
  test('one is named, or several, of which the later override', async () => {
    await project.write('a.yaml', 'machines: { a: { box: tiny } }');
    await project.write('b.yaml', 'machines: { a: { cpus: 3 } }');
    expect(await project.ok('-f', 'a.yaml', 'validate')).toContain('valid: a');
    expect(await project.ok('-f', 'a.yaml', 'config', '-f', 'b.yaml')).toContain('cpus: 3');
    const byVariable = await project.vmWith({ ...project.env, VM_FILE: 'a.yaml:b.yaml' }, 'config');
    expect(byVariable.stdout).toContain('cpus: 3');
  });

  test('the override file beside it', async () => {
    await project.write('Machinefile', tinies('web'));
    await project.write('Machinefile.override.yaml', 'machines: { web: { cpus: 3 } }');
    expect(await project.ok('config')).toContain('cpus: 3');
    expect(await project.ok('config', '-f', 'Machinefile')).toContain('cpus: 1');
  });

  test.each([
    { args: ['-f', 'nope.yaml', 'status'], env: {}, says: 'nope.yaml, given by -f, does not exist' },
    { args: ['status'], env: { VM_FILE: 'nope.yaml' }, says: 'nope.yaml, given by VM_FILE, does not exist' },
    { args: ['-f', '.', 'status'], env: {}, says: 'given by -f, is a folder' },
  ])('one that is not there: $says', async ({ args, env, says }) => {
    const { exitCode, stderr } = await project.vmWith({ ...project.env, ...env }, ...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(says);
  });

  test.each(['status', 'up', 'destroy'])('nowhere one: vm %s says how to begin', async (command) => {
    const error = await project.fails(2, command);
    expect(error).toBe(
      `vm: no Machinefile in ${project.dir} or above\n→ run \`vm init\` to write one, or give one with -f\n`,
    );
  });
});
