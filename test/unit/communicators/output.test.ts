import { expect, test } from 'vitest';
import { KEPT_OUTPUT_CHARS, outputCollector } from '../../../src/communicators/output.ts';

function linesOf(chunks: readonly (string | Uint8Array)[]): string[] {
  const lines: string[] = [];
  const collector = outputCollector((line) => lines.push(line));
  for (const chunk of chunks) collector.push(Buffer.from(chunk));
  collector.end();
  return lines;
}

test.each([
  ['whole lines', ['a\nb\n'], ['a', 'b']],
  ['a line in pieces', ['he', 'll', 'o\nw'], ['hello', 'w']],
  ['empty lines', ['\n\na'], ['', '', 'a']],
  ['Windows line ends', ['a\r\nb\r\n'], ['a', 'b']],
  ['a progress display', ['10%\r20%\r100%\ndone\n'], ['100%', 'done']],
  ['a character in pieces', [Buffer.from('ü').subarray(0, 1), Buffer.from('ü').subarray(1)], ['ü']],
  ['nothing', [], []],
])('%s', (_name, chunks, lines) => {
  expect(linesOf(chunks)).toEqual(lines);
});

test('a line without end is passed on in parts', () => {
  const lines = linesOf(['x'.repeat(20_000), 'y\n']);
  expect(lines.map((line) => line.length)).toEqual([20_000, 1]);
});

test('the end of the output is kept', () => {
  const collector = outputCollector(undefined);
  collector.push(Buffer.from('x'.repeat(KEPT_OUTPUT_CHARS)));
  collector.push(Buffer.from('the end'));
  collector.end();
  expect(collector.kept()).toHaveLength(KEPT_OUTPUT_CHARS);
  expect(collector.kept().endsWith('xthe end')).toBe(true);
});
