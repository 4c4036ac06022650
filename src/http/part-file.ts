import { createWriteStream } from 'node:fs';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { asWriteError, sha256, unlessMissing } from '../host/files.ts';
import type { ChecksumAlgorithm } from './checksum.ts';
import { Digests } from './digests.ts';
import { type PartOrigin, readOrigin, removeOrigin, type Validator, writeOrigin } from './part-origin.ts';

export interface PartFileOptions {
  readonly algorithms: ReadonlySet<ChecksumAlgorithm>;
  readonly signal: AbortSignal;
  /** Called before the bytes that are there are read for their digests. */
  readonly onReading: (bytes: number) => void;
}

/** Enough to go on while the disk pauses. */
const WRITE_BUFFER_BYTES = 4 * 2 ** 20;

/**
 * The beginning of a document, on disk, with the digests of what is there. Beside it stands where it is from, which is
 * removed before the bytes are and written before the next come: it never speaks of other bytes.
 */
export class PartFile {
  readonly #path: string;
  readonly #algorithms: ReadonlySet<ChecksumAlgorithm>;
  #digests: Digests;
  #origin: PartOrigin | undefined;

  private constructor(path: string, algorithms: ReadonlySet<ChecksumAlgorithm>) {
    this.#path = path;
    this.#algorithms = algorithms;
    this.#digests = new Digests(algorithms);
  }

  /** Takes up what an interrupted download left, if that can be continued. */
  static async open(path: string, { algorithms, signal, onReading }: PartFileOptions): Promise<PartFile> {
    const part = new PartFile(path, algorithms);
    const origin = await readOrigin(path);
    const size = (await unlessMissing(stat(path)))?.size ?? 0;
    if (origin?.validator === undefined || size === 0) return part;
    onReading(size);
    part.#digests = await Digests.ofFile(path, algorithms, signal);
    part.#origin = origin;
    return part;
  }

  get digests(): Digests {
    return this.#digests;
  }

  /** Of the whole document, where its server told. */
  get lengthBytes(): number | undefined {
    return this.#origin?.lengthBytes;
  }

  /** What its server calls this state of it. */
  get validator(): Validator | undefined {
    return this.#origin?.validator;
  }

  isFrom(url: string): boolean {
    return this.#origin?.urlSha256 === sha256(url);
  }

  /** What the document must still be for this URL to go on from here; undefined if it cannot. */
  validatorFor(url: string): Validator | undefined {
    return this.#digests.bytes > 0 && this.isFrom(url) ? this.validator : undefined;
  }

  /** Gives up what is there, for another document. */
  async restart(origin: PartOrigin): Promise<void> {
    await removeOrigin(this.#path);
    this.#digests = new Digests(this.#algorithms);
    try {
      await writeFile(this.#path, '', { mode: 0o600 });
    } catch (error) {
      throw asWriteError(this.#path, error);
    }
    this.#origin = origin;
    await writeOrigin(this.#path, origin);
  }

  /**
   * Adds what comes. When `chunks` fails, all that came is written before that is thrown.
   * @throws VmError if the disk is full; what `chunks` throws.
   */
  async append(chunks: AsyncIterable<Uint8Array>, onBytes: (bytes: number) => void): Promise<void> {
    const digests = this.#digests;
    let failure: { readonly error: unknown } | undefined;
    // A throw in here would make `pipeline` drop what is not written yet.
    const received = async function* () {
      try {
        for await (const chunk of chunks) {
          digests.update(chunk);
          onBytes(digests.bytes);
          yield chunk;
        }
      } catch (error) {
        failure = { error };
      }
    };
    try {
      await pipeline(received, createWriteStream(this.#path, { flags: 'a', highWaterMark: WRITE_BUFFER_BYTES }));
    } catch (error) {
      throw asWriteError(this.#path, error);
    }
    if (failure !== undefined) throw failure.error;
  }

  /** Gives the document, whole now, its name. */
  async finish(path: string): Promise<void> {
    await rename(this.#path, path);
    await removeOrigin(this.#path);
  }

  async remove(): Promise<void> {
    await removeOrigin(this.#path);
    await rm(this.#path, { force: true });
  }
}
