import type { Ora } from 'ora';
import type { ReportEvent, Reporter } from '../context.ts';
import { formatEvent, formatSeconds, type TextOptions } from './reporters.ts';

interface ActivePhase {
  readonly startedAt: number;
  text: string;
}

const REDRAW_MS = 200;

/** Lines for what is done, and below them one live line for what is going on, with the time it has taken so far. */
export class TerminalReporter implements Reporter, Disposable {
  readonly #stream: NodeJS.WriteStream;
  readonly #options: TextOptions;
  readonly #active = new Map<string, ActivePhase>();
  /** Loaded when something first takes time: most commands are over before. */
  #spinner: Ora | undefined;
  #clock: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WriteStream, options: TextOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  report(event: ReportEvent): void {
    this.#track(event);
    const line = formatEvent(event, this.#options);
    if (line !== undefined) this.#printAbove(line);
    if (this.#active.size === 0 || this.#options.quiet) this[Symbol.dispose]();
    else this.#clock ??= setInterval(() => void this.#draw(), REDRAW_MS);
  }

  /** Removes the live line, so that other output can follow. */
  [Symbol.dispose](): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
    this.#spinner?.stop();
  }

  #track(event: ReportEvent): void {
    if (event.type === 'progress') {
      const active = this.#active.get(event.subject);
      if (active) active.text = event.text;
    }
    if (event.type !== 'phase') return;
    if (event.status === 'started') {
      this.#active.set(event.subject, { startedAt: performance.now(), text: event.phase });
    } else {
      this.#active.delete(event.subject);
    }
  }

  #printAbove(line: string): void {
    this.#spinner?.stop();
    this.#stream.write(`${line}\n`);
  }

  async #draw(): Promise<void> {
    // A terminal that somebody made without a size has 0 columns: ora would go up infinitely many lines.
    if (!this.#stream.columns) return;
    this.#spinner ??= await this.#createSpinner();
    if (this.#clock === undefined) return;
    const now = performance.now();
    this.#spinner.text = [...this.#active]
      .map(([subject, { startedAt, text }]) => `${subject}: ${text} ${formatSeconds(now - startedAt)}`)
      .join('  ');
    if (!this.#spinner.isSpinning) this.#spinner.start();
  }

  async #createSpinner(): Promise<Ora> {
    const { default: ora } = await import('ora');
    // Standard input stays as it is, so that Ctrl-C reaches vm as a signal.
    return ora({ stream: this.#stream, discardStdin: false, color: this.#options.color ? 'cyan' : false });
  }
}
