import type { RunContext } from '../../context.ts';
import { describeSize } from '../../http/progress-text.ts';

export interface ProgressTools {
  readonly context: RunContext;
  /** Whom progress is told for. */
  readonly subject: string;
}

export interface Amount {
  readonly chunks: number;
  /** Of the files, unpacked. */
  readonly bytes: number;
}

/** Tells how much of a box is done: `chunk 12 of 40, 312 MiB of 1.2 GiB, 3 already there`. */
export class ChunkProgress {
  readonly #tools: ProgressTools;
  readonly #total: Amount;
  readonly #place: 'here' | 'there';
  #chunks = 0;
  #bytes = 0;
  #present = 0;

  /** @param place where chunks may be already. */
  constructor(tools: ProgressTools, total: Amount, place: 'here' | 'there') {
    this.#tools = tools;
    this.#total = total;
    this.#place = place;
  }

  /** Another chunk is done. */
  add(bytes: number, wasPresent: boolean): void {
    this.#chunks++;
    this.#bytes += bytes;
    if (wasPresent) this.#present++;
    const parts = [
      `chunk ${this.#chunks} of ${this.#total.chunks}`,
      `${describeSize(this.#bytes)} of ${describeSize(this.#total.bytes)}`,
      ...(this.#present > 0 ? [`${this.#present} already ${this.#place}`] : []),
    ];
    const { context, subject } = this.#tools;
    context.reporter.report({ type: 'progress', subject, text: parts.join(', ') });
  }
}
