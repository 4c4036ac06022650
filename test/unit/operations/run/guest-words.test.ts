import { expect, test } from 'vitest';
import { guestWords } from '../../../../src/operations/run/guest-words.ts';

test('a command, from the home folder and from another', () => {
  expect(guestWords({ words: ['ls', '-l', 'a b'], workdir: undefined })).toEqual([
    ...['sh', '-c', '"$@"; exit $?', 'sh'],
    ...['ls', '-l', 'a b'],
  ]);
  expect(guestWords({ words: ['ls'], workdir: '/srv/my app' })).toEqual([
    ...['sh', '-c', 'cd "$1" && shift && "$@"; exit $?', 'sh', '/srv/my app'],
    'ls',
  ]);
});

test('a shell', () => {
  expect(guestWords({ words: [], workdir: undefined })).toEqual([]);
  expect(guestWords({ words: [], workdir: '/srv' }).slice(3)).toEqual(['sh', '/srv']);
});
