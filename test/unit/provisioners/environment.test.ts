import { expect, test } from 'vitest';
import type { GuestCommand } from '../../../src/communicators/communicator.ts';
import {
  environmentBlock,
  environmentFingerprint,
  environmentProblem,
  writeGuestEnvironment,
} from '../../../src/provisioners/environment.ts';

test.each([
  ['A', 'two words', undefined],
  ['_a1', `"quoted" it's $HOME \\ back\\slash ü\t`, undefined],
  ['EMPTY', '', undefined],
  ['1A', 'x', 'a name'],
  ['A-B', 'x', 'a name'],
  ['A', 'a\nb', 'line ends'],
  ['A', 'a\u0000', 'line ends'],
  ['A', 'a#b', 'no #'],
  ['A', 'x'.repeat(8000), 'at most'],
])('%s=%j', (name, value, problem) => {
  if (problem === undefined) expect(environmentProblem(name, value)).toBeUndefined();
  else expect(environmentProblem(name, value)).toContain(problem);
});

test('the block for logins', () => {
  expect(environmentBlock({ A: 'x y', Q: 'say "hi"' })).toBe(
    '# BEGIN machinefile\nA="x y"\nQ="say "hi""\n# END machinefile\n',
  );
  expect(environmentBlock({})).toBe('');
});

test('the fingerprint follows the values', () => {
  expect(environmentFingerprint({ A: '1' })).toBe(environmentFingerprint({ A: '1' }));
  expect(environmentFingerprint({ A: '1' })).not.toBe(environmentFingerprint({ A: '2' }));
});

function guest(exitCode: number, stderr = '') {
  const commands: GuestCommand[] = [];
  return {
    commands,
    communicator: {
      async exec(command: GuestCommand) {
        commands.push(command);
        return { exitCode, stdout: '', stderr };
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
  };
}

const never = new AbortController().signal;

test('what cannot be set is in no block', () => {
  expect(() => environmentBlock({ A: 'x\nB=y' })).toThrow('environment.A');
});

test('the values go by standard input, into memory where the guest has it from its seed', async () => {
  const { communicator, commands } = guest(0);
  await writeGuestEnvironment(communicator, { TOKEN: 'secret' }, never);
  expect(commands[0]?.script).toContain('file=/run/machinefile/environment\n[ -e "$file" ] || file=/etc/environment\n');
  expect(String(commands[0]?.input)).toContain('TOKEN="secret"');
  expect(commands[0]?.script).not.toContain('secret');
});

test('what could not be written, and what cannot be', async () => {
  const failing = writeGuestEnvironment(guest(1, 'no space left\n').communicator, { A: '1' }, never);
  await expect(failing).rejects.toThrow('no space left');
  const refused = writeGuestEnvironment(guest(0).communicator, { A: 'x\nB=y' }, never);
  await expect(refused).rejects.toThrow('environment.A');
});
