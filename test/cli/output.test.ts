import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { createImage } from '../support/images.ts';
import { vmPath } from '../support/paths.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

const runProgram = promisify(execFile);
const project = await TestProject.create({
  files: { Machinefile: 'machines: { m: { box: ./disk.qcow2, environment: { A: level-$UNSET } } }' },
  tools: [tools.qemuImg, tools.failingQemu],
});
await createImage(join(project.dir, 'disk.qcow2'));
await project.fails(1, 'up');
const serialLogPath = join(project.dir, '.vm/machines/m/serial.log');

afterAll(() => project[Symbol.asyncDispose]());

/** Runs a shell command in the project; `$VM` is the binary. */
function inShell(script: string) {
  const VM = `'${process.execPath}' '${vmPath}'`;
  return runProgram('bash', ['-c', script.replaceAll('$VM', VM)], {
    cwd: project.dir,
    env: { ...project.env, PATH: process.env.PATH, UNSET: 'set' },
  });
}

test.each([[['status']], [['up', '--verbose']], [['doctor']], [['nonsense']]])(
  'not on a terminal: %s has no escape codes and no stack',
  async (args) => {
    const { stdout, stderr } = await project.vm(...args);
    expect(stdout + stderr).not.toContain('\u001b');
    expect(stdout + stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  },
);

test.each([
  { args: ['validate', '-q'], stdout: '' },
  { args: ['-q', 'init', '--force', '-t', 'default'], stdout: '' },
  { args: ['status', '-q', '-f', 'quiet.yaml'], stdout: expect.stringContaining('not_created') },
])('quiet: $args', async ({ args, stdout }) => {
  await using quiet = await TestProject.create({
    files: { Machinefile: 'machines: { m: { box: tiny } }', 'quiet.yaml': 'machines: { m: { box: tiny } }' },
    tools: [],
  });
  expect(await quiet.vm(...args)).toMatchObject({ exitCode: 0, stdout, stderr: '' });
});

test('quiet: warnings and errors are still told, phases are not', async () => {
  const { stdout, stderr } = await project.vm('up', '-q');
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^warning: Machinefile:1:\d+: variable “UNSET”.*\nvm: m: QEMU did not start/);
});

describe('a reader that goes away', () => {
  test.each(['config', '--help', 'status --json'])('vm %s | true: without a word', async (line) => {
    expect(await inShell(`$VM ${line} | true; echo "\${PIPESTATUS[0]}"`)).toEqual({ stdout: '0\n', stderr: '' });
  });

  test('ends what would go on for ever, as SIGPIPE ends others', async () => {
    await writeFile(serialLogPath, 'a line\n'.repeat(100_000));
    const { stdout, stderr } = await inShell(`$VM logs -f | head -n 1; echo "\${PIPESTATUS[0]}"`);
    expect({ stdout, stderr }).toEqual({ stdout: 'a line\n141\n', stderr: '' });
  });
});

test('a full disk behind standard output', async () => {
  const { stdout, stderr } = await inShell('$VM config > /dev/full || echo "$?"');
  expect(stdout).toBe('1\n');
  expect(stderr).toMatch(/^vm: cannot write the output: ENOSPC.*\n$/);
});

describe('vm logs -f', () => {
  test('Ctrl-C ends it, with exit code 130', async () => {
    await writeFile(serialLogPath, 'a line\n');
    const following = project.start('logs', '-f');
    following.child.stdout?.once('data', () => following.child.kill('SIGINT'));
    expect(await following.ended).toMatchObject({ exitCode: 130, stderr: expect.stringMatching(/vm: interrupted\n$/) });
  });

  test('it goes on when the log begins anew, and ends with the machine', async () => {
    await rm(serialLogPath);
    const following = project.start('logs', '-f');
    let said = '';
    following.child.stdout?.on('data', (text) => {
      said += text;
    });
    await writeFile(serialLogPath, 'the first line\n');
    await expect.poll(() => said, { timeout: 10_000 }).toBe('the first line\n');
    await writeFile(serialLogPath, 'anew\n');
    await expect.poll(() => said, { timeout: 10_000 }).toBe('the first line\nanew\n');
    await project.ok('destroy', '--yes');
    expect(await following.ended).toMatchObject({ exitCode: 0, stdout: said });
  });
});
