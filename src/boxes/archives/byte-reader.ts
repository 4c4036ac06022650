import { VmError } from '../../errors.ts';

const NOTHING = new Uint8Array(0);

/** Reads a stream in pieces that suit its format instead of those it comes in. Close it to end the stream. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #shownAs: string;
  #ahead: Uint8Array = NOTHING;
  #positionBytes = 0;

  /** @param shownAs what the source is called in errors. */
  constructor(source: AsyncIterable<Uint8Array>, shownAs: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#shownAs = shownAs;
  }

  /** How much was read so far. */
  get positionBytes(): number {
    return this.#positionBytes;
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#ahead.length === 0) {
      const { done, value } = await this.#source.next();
      if (done) return true;
      this.#ahead = value;
    }
    return false;
  }

  /**
   * The next bytes as they came, at least one and at most `maxBytes`; not a copy.
   * @throws VmError at the end.
   */
  async readSome(maxBytes: number): Promise<Uint8Array> {
    if (await this.isAtEnd()) throw new VmError(`${this.#shownAs} is truncated`, { hint: DAMAGE_HINT });
    const bytes = this.#ahead.subarray(0, maxBytes);
    this.#ahead = this.#ahead.subarray(bytes.length);
    this.#positionBytes += bytes.length;
    return bytes;
  }

  /**
   * The next `length` bytes in one piece.
   * @throws VmError if there are fewer.
   */
  async read(length: number): Promise<Buffer> {
    if (length <= this.#ahead.length) return asBuffer(await this.readSome(length));
    const whole = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const bytes = await this.readSome(length - done);
      whole.set(bytes, done);
      done += bytes.length;
    }
    return whole;
  }

  /** @throws VmError if the source ends before `positionBytes`. */
  async skipTo(positionBytes: number): Promise<void> {
    while (this.#positionBytes < positionBytes) await this.readSome(positionBytes - this.#positionBytes);
  }

  async skipToEnd(): Promise<void> {
    while (!(await this.isAtEnd())) this.#ahead = NOTHING;
  }

  /** Something at this place is not as the format has it. */
  damaged(detail: string): VmError {
    return new VmError(`${this.#shownAs} is damaged: ${detail}`, { hint: DAMAGE_HINT });
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

const DAMAGE_HINT = 'get it again, and compare its checksum';

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
