import { expect, test } from 'vitest';
import { fitLines, LiveText } from '../../../src/cli/live-text.ts';

const ESC = '\u001b';
const up = (lines: number) => `${ESC}[${lines}A`;
/** A line, the rest of which is cleared. */
const line = (text: string) => `${text}${ESC}[K\n`;
const clearBelow = `${ESC}[J`;

test('a text takes the place of the one before, also of a longer one; the cursor comes back', () => {
  const writes: string[] = [];
  const terminal = { columns: 20, rows: 10, write: (text: string | Uint8Array) => writes.push(String(text)) > 0 };
  {
    using live = new LiveText(terminal);
    live.show('MACHINE\ndb\nweb');
    live.show('MACHINE\nweb');
    live.show('MACHINE');
  }
  expect(writes).toEqual([
    `${ESC}[?25l`,
    `${line('MACHINE')}${line('db')}${line('web')}${clearBelow}`,
    `${up(3)}${line('MACHINE')}${line('web')}${clearBelow}`,
    `${up(2)}${line('MACHINE')}${clearBelow}`,
    `${ESC}[?25h`,
  ]);
});

test.each([
  { rows: 3, shown: ['one', 'two', 'three'] },
  { rows: 2, shown: ['one', '… and 2 more'] },
  { rows: 0, shown: ['one', '… and 2 more'] },
])('on $rows rows', ({ rows, shown }) => {
  expect(fitLines(['one', 'two', 'three'], { columns: 80, rows })).toEqual(shown);
});

test('a line that is too long is cut', () => {
  expect(fitLines(['MACHINE  CPU %'], { columns: 9, rows: 5 })).toEqual(['MACHINE  ']);
});
