import { expect, test } from 'vitest';
import { loadAllCommands } from '../../../src/cli/commands/index.ts';
import { parseCommandLine } from '../../../src/cli/program.ts';

// To make them of TypeScript takes longer than a test has.
await loadAllCommands();

async function parse(line: string) {
  const parsed = await parseCommandLine(line.split(' '));
  if (parsed.kind !== 'call') throw new Error(`${line} is no call`);
  return {
    name: parsed.command.name,
    args: parsed.args,
    options: parsed.options,
    rest: parsed.rest,
    ...parsed.globals,
  };
}

test.each([
  ['--json status', { name: 'status', json: true }],
  ['status --json', { name: 'status', json: true }],
  ['ps web', { name: 'status', args: ['web'] }],
  ['-f a -f b up', { name: 'up', files: ['a', 'b'] }],
  ['-f a up -f b', { name: 'up', files: ['a', 'b'] }],
  ['logs -f web', { name: 'logs', files: [], args: ['web'] }],
  ['-f a logs -f', { name: 'logs', files: ['a'] }],
  ['destroy -y', { name: 'destroy', yes: true }],
  ['--no-color up', { name: 'up', color: false }],
  ['up', { name: 'up', color: true, json: false, quiet: false, yes: false }],
  ['port web --json', { name: 'port', args: ['web'], json: true }],
  ['port add web 8080:80 --json', { name: 'port add', args: ['web', '8080:80'], json: true }],
  ['port add web 80 --profile a', { name: 'port add', options: { profile: ['a'] } }],
  ['port --json remove web 80', { name: 'port remove', args: ['web', '80'], json: true }],
  ['port -- add', { name: 'port', args: [], rest: ['add'] }],
  ['box build tiny', { name: 'box build', args: ['tiny'] }],
  ['exec web -- ls -la --json', { name: 'exec', args: ['web'], rest: ['ls', '-la', '--json'], json: false }],
])('%s', async (line, expected) => {
  expect(await parse(line)).toMatchObject(expected);
});

test.each([
  ['up --parallel 3', { parallel: 3 }],
  ['up --no-provision', { provision: false }],
  ['up --provision', { provision: true }],
  ['up --provision-with a,b', { provisionWith: ['a', 'b'] }],
])('options of %s', async (line, options) => {
  expect((await parse(line)).options).toMatchObject(options);
});

test('without a wish nothing is said about provisioning', async () => {
  expect((await parse('up')).options).not.toHaveProperty('provision');
});

test.each([
  ['frobnicate', "unknown command 'frobnicate'"],
  ['statsu', 'status'],
  ['up --nope', "unknown option '--nope'"],
  ['up --parallel 0', 'must be a whole number'],
  ['halt -- x', 'halt takes nothing after --'],
  ['box', 'no command given'],
])('%s is refused', async (line, message) => {
  await expect(parse(line)).rejects.toThrow(message);
});
