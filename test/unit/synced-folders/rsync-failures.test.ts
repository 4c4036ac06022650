import { expect, test } from 'vitest';
import { CommandError, GuestError } from '../../../src/errors.ts';
import { explainRsyncFailure, isHarmless } from '../../../src/synced-folders/rsync-failures.ts';

function failure(exitCode: number, stderr: string): CommandError {
  return new CommandError('rsync failed', { command: ['rsync'], exitCode, stderr });
}

test.each<[string, CommandError, boolean, string, string | undefined]>([
  [
    'no rsync for root',
    failure(127, 'sh: 1: rsync: not found\n'),
    true,
    'rsync is not installed in web',
    'apt-get install',
  ],
  [
    'no rsync for bash',
    failure(127, 'bash: line 1: rsync: command not found\n'),
    true,
    'not installed',
    'apt-get install',
  ],
  ['no rsync for sudo', failure(1, 'sudo: rsync: command not found\n'), true, 'not installed', 'apt-get install'],
  ['no sudo', failure(12, 'sudo: a password is required\n'), true, 'a password is required', 'NOPASSWD'],
  ['no connection', failure(255, 'ssh: connect to host: refused\n'), true, 'the connection to web failed', undefined],
  ['some files', failure(23, 'rsync: open "/x" failed: Permission denied\n'), false, 'Permission denied', 'exclude'],
  ['anything else', failure(11, 'rsync: write failed: No space left on device\n'), true, 'No space left', undefined],
])('%s', (_name, error, isGuestError, text, hint) => {
  const explained = explainRsyncFailure(error, { machine: 'web', hostPath: '/src' });
  expect(explained instanceof GuestError).toBe(isGuestError);
  expect(explained.message).toContain(text);
  expect(explained.cause).toBe(error);
  if (hint === undefined) expect(explained.hint).toBeUndefined();
  else expect(explained.hint).toContain(hint);
});

test('files that vanished meanwhile are no failure', () => {
  expect(isHarmless(failure(24, ''))).toBe(true);
  expect(isHarmless(failure(23, ''))).toBe(false);
});
