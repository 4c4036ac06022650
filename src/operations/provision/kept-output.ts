import type { ReportEvent, Reporter } from '../../context.ts';

const MOST_CHARACTERS = 1024 * 1024;

/** Passes events on, and keeps the last MiB of what a step printed. */
export class KeptOutput implements Reporter {
  readonly #reporter: Reporter;
  readonly #lines: string[] = [];
  #length = 0;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  report(event: ReportEvent): void {
    this.#reporter.report(event);
    if (event.type !== 'output') return;
    this.#lines.push(event.line);
    this.#length += event.line.length + 1;
    while (this.#length > MOST_CHARACTERS) this.#length -= (this.#lines.shift()?.length ?? 0) + 1;
  }

  /** With a line end behind each line. */
  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }
}
