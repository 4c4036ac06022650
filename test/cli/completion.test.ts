import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { loadAllCommands } from '../../src/cli/commands/index.ts';
import { findTool } from '../../src/host/exec.ts';
import { tinies } from '../support/machinefiles.ts';
import { vmPath } from '../support/paths.ts';
import { TestProject } from '../support/test-project.ts';

const runProgram = promisify(execFile);
const Machinefile = `${tinies('db', 'web-1', 'web-2').trimEnd().replace(/}$/, ', lb: { replicas: 2 } }')}\n`;
const project = await TestProject.create({ files: { Machinefile }, tools: [] });
const env = { ...project.env, PATH: process.env.PATH };

afterAll(() => project[Symbol.asyncDispose]());

/** What bash would offer for the last of the words. */
async function bashOffers(script: string, words: readonly string[]): Promise<string[]> {
  const lines = [
    `vm() { '${process.execPath}' '${vmPath}' "$@"; }`,
    script,
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`,
    `COMP_CWORD=${words.length - 1}`,
    '_vm',
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ];
  const { stdout } = await runProgram('bash', ['-c', lines.join('\n')], { cwd: project.dir, env });
  return stdout.split('\n').filter(Boolean);
}

describe('bash', async () => {
  const script = await project.ok('completion', 'bash');

  test('accepts the script', async () => {
    await runProgram('bash', ['-n', '-c', script]);
  });

  test.each([
    { words: ['vm', 'stat'], offers: ['status', 'stats'] },
    { words: ['vm', 'box', 'b'], offers: ['build'] },
    { words: ['vm', 'cache', 'p'], offers: ['prune'] },
    { words: ['vm', 'box', 'push', '--q'], offers: ['--quiet'] },
    { words: ['vm', 'port', 'a'], offers: ['add'] },
    { words: ['vm', 'port', 'web'], offers: ['web-1', 'web-2'] },
    { words: ['vm', 'port', 'add', 'web'], offers: ['web-1', 'web-2'] },
    { words: ['vm', 'up', '--dr'], offers: ['--dry-run'] },
    { words: ['vm', 'halt', 'web'], offers: ['web-1', 'web-2'] },
    { words: ['vm', 'halt', 'lb'], offers: ['lb', 'lb-1', 'lb-2'] },
    { words: ['vm', 'scale', ''], offers: expect.arrayContaining(['lb=', '--yes']) },
    { words: ['vm', 'completion', ''], offers: expect.arrayContaining(['bash', 'zsh', 'fish']) },
    { words: ['vm', 'help', 'des'], offers: ['destroy'] },
    { words: ['vm', 'volume', 'i'], offers: ['inspect'] },
    { words: ['vm', 'volume', 'rm', '--y'], offers: ['--yes'] },
  ])('$words', async ({ words, offers }) => {
    expect(await bashOffers(script, words)).toEqual(offers);
  });

  test('knows every command', async () => {
    const names = (await loadAllCommands()).map(({ name }) => name.split(' ')[0]);
    expect(await bashOffers(script, ['vm', ''])).toEqual(expect.arrayContaining(names));
  });
});

test.runIf(findTool('zsh'))('zsh accepts the script', async () => {
  const script = await project.ok('completion', 'zsh');
  await runProgram('zsh', ['-n', '-c', script]);
  const { stdout } = await runProgram('zsh', [
    '-f',
    '-c',
    `autoload -U compinit && compinit -D\n${script}\necho $_comps[vm]`,
  ]);
  expect(stdout).toContain('vm');
});

test.runIf(findTool('fish'))('fish completes', async () => {
  const script = await project.ok('completion', 'fish');
  const { stdout } = await runProgram('fish', ['--no-config', '-c', `${script}\ncomplete -C 'vm st'`], { env });
  expect(stdout).toMatch(/^status\t/m);
});

test('another shell', async () => {
  expect(await project.fails(2, 'completion', 'tcsh')).toContain('no completion for tcsh\n→ shells: bash, zsh, fish');
});
