import { expect, test } from 'vitest';
import { quoteCommand, quoteForShell } from '../../../src/communicators/quoting.ts';

test.each([
  ['plain', 'plain'],
  ['/srv/app-1.2_x', '/srv/app-1.2_x'],
  ['user@host:80,90%+', 'user@host:80,90%+'],
  ['', "''"],
  ['two words', "'two words'"],
  ["it's", "'it'\\''s'"],
  ['$HOME `id` "q" \\', '\'$HOME `id` "q" \\\''],
  ['~', "'~'"],
  ['*.c', "'*.c'"],
  ['a\nb', "'a\nb'"],
  ['ü', "'ü'"],
])('%j', (word, quoted) => {
  expect(quoteForShell(word)).toBe(quoted);
});

test('a first word that looks like an assignment stays a word', () => {
  expect(quoteCommand(['A=1', 'echo', 'a b'])).toBe("'A=1' echo 'a b'");
});
