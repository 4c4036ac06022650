import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadAllCommands } from '../../src/cli/commands/index.ts';
import { TestProject } from '../support/test-project.ts';

let project: TestProject;

beforeAll(async () => {
  project = await TestProject.create({ files: {}, tools: [] });
});

afterAll(() => project[Symbol.asyncDispose]());

describe('help is an answer: on standard output, exit code 0', () => {
  test.each([
    { args: [], shows: /^Project:\n {2}init/m },
    { args: ['--help'], shows: /^Machines:\n {2}up .*\n +e\.g\. vm up/m },
    { args: ['help'], shows: /^This host:\n[\s\S]*Exit codes: 0 done, 1 failed, 2 usage/m },
    { args: ['help', 'up'], shows: /^Usage: vm up \[options\] \[machines\.\.\.\]$/m },
    { args: ['up', '--help'], shows: /--dry-run +print the commands[\s\S]*Example:\n {2}vm up web/ },
    { args: ['help', 'ps'], shows: /^Usage: vm status\|ps/m },
    { args: ['help', 'box'], shows: /^Usage: vm box COMMAND$/m },
    { args: ['box', '--help'], shows: /box remove +remove a box/ },
    { args: ['help', 'port', 'add'], shows: /^Usage: vm port add \[options\] <machine> <ports\.\.\.>$/m },
    { args: ['help', 'box', 'build'], shows: /^Usage: vm box build \[options\] <recipe>$/m },
  ])('vm $args', async ({ args, shows }) => {
    const { exitCode, stdout, stderr } = await project.vm(...args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(shows);
  });

  test('every command is in it, with an example', async () => {
    const page = await project.ok('--help');
    for (const { name, example } of await loadAllCommands()) {
      expect(page).toMatch(new RegExp(`^ {2}${name} `, 'm'));
      expect(page).toContain(`e.g. ${example}\n`);
    }
  });
});

describe('a wrong command line: exit code 2, what was probably meant, where to read on', () => {
  test.each([
    { args: ['provison'], says: "unknown command 'provison' (did you mean provision?)\n→ vm --help" },
    { args: ['frobnicate'], says: "unknown command 'frobnicate'\n→ vm --help" },
    { args: ['up', '--dryrun'], says: "unknown option '--dryrun' (did you mean --dry-run?)\n→ vm help up" },
    { args: ['help', 'destory'], says: 'there is no command “destory” (did you mean “destroy”?)\n→ vm --help' },
    { args: ['box'], says: 'no command given\n→ vm help box' },
    { args: ['box', 'bild'], says: "unknown command 'bild' (did you mean build?)\n→ vm help box" },
    { args: ['box', 'build'], says: "missing required argument 'recipe'\n→ vm help box build" },
    { args: ['port', 'add', 'web'], says: "missing required argument 'ports'\n→ vm help port add" },
    { args: ['port', 'web', '--', 'db'], says: 'name one machine' },
    { args: ['-q'], says: 'no command given\n→ vm --help' },
    { args: ['up', '--parallel', 'many'], says: 'must be a whole number from 1' },
    { args: ['up', '--provision-with', ','], says: 'name at least one' },
    { args: ['halt', '--', 'now'], says: 'halt takes nothing after --\n→ vm help halt' },
    { args: ['exec', 'web'], says: 'no command to run\n→ vm exec MACHINE -- COMMAND' },
    { args: ['exec', '--nope', '--', 'ls', '--json'], says: "unknown option '--nope'" },
  ])('vm $args', async ({ args, says }) => {
    expect(await project.fails(2, ...args)).toContain(says);
  });
});

test.each(['version', '--version'])('vm %s', async (word) => {
  expect(await project.ok(word)).toMatch(/^vm \d+\.\d+\.\d+\n$/);
});
