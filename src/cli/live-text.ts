/** What of a terminal is used. */
export type TerminalStream = Pick<NodeJS.WriteStream, 'write' | 'columns' | 'rows'>;

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_TO_LINE_END = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** A text on a terminal that is replaced in its place. Disposing it leaves the last one, and the cursor below it. */
export class LiveText implements Disposable {
  readonly #terminal: TerminalStream;
  #shownLines = 0;

  constructor(terminal: TerminalStream) {
    this.#terminal = terminal;
    terminal.write(HIDE_CURSOR);
  }

  /** Lines are cut where the terminal ends, for one that is wrapped could not be gone back over. */
  show(text: string): void {
    const { columns, rows } = this.#terminal;
    const lines = fitLines(text.split('\n'), { columns, rows: rows - 1 });
    const back = this.#shownLines === 0 ? '' : `\u001b[${this.#shownLines}A`;
    this.#terminal.write(`${back}${lines.map((line) => `${line}${CLEAR_TO_LINE_END}\n`).join('')}${CLEAR_BELOW}`);
    this.#shownLines = lines.length;
  }

  [Symbol.dispose](): void {
    this.#terminal.write(SHOW_CURSOR);
  }
}

/** The lines that fit, and in place of the last of them, how many do not. Pure. */
export function fitLines(
  lines: readonly string[],
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string[] {
  const room = Math.max(rows, 2);
  const left = lines.length - room + 1;
  const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), `… and ${left} more`];
  return shown.map((line) => line.slice(0, columns));
}
