import { expect, test } from 'vitest';
import { loadAllCommands, loadCommands } from '../../../src/cli/commands/index.ts';

const commands = await loadAllCommands();

test('each command is loaded by its first word, and by an alias of one word', async () => {
  for (const { name, alias } of commands) {
    const words = [name.split(' ')[0] ?? '', ...(alias === undefined || alias.includes(' ') ? [] : [alias])];
    for (const word of words) expect((await loadCommands([word])).map((command) => command.name)).toContain(name);
  }
});

test('nothing is loaded by other words', async () => {
  expect(await loadCommands(['nonsense', 'ls', '--json'])).toEqual([]);
});
