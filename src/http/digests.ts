import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { InterruptedError } from '../errors.ts';
import type { ChecksumAlgorithm } from './checksum.ts';

const READ_BUFFER_BYTES = 2 ** 20;

/** Several digests of the same bytes, taken as they pass. */
export class Digests {
  readonly #hashes: ReadonlyMap<ChecksumAlgorithm, Hash>;
  #bytes = 0;

  constructor(algorithms: Iterable<ChecksumAlgorithm>) {
    this.#hashes = new Map([...algorithms].map((algorithm) => [algorithm, createHash(algorithm)]));
  }

  /** Of a file as it is now. @throws the error of the file system; InterruptedError. */
  static async ofFile(path: string, algorithms: Iterable<ChecksumAlgorithm>, signal: AbortSignal): Promise<Digests> {
    const digests = new Digests(algorithms);
    for await (const chunk of createReadStream(path, { highWaterMark: READ_BUFFER_BYTES })) {
      if (signal.aborted) throw new InterruptedError();
      digests.update(chunk as Uint8Array); // no encoding was set
    }
    return digests;
  }

  /** How many bytes have passed. */
  get bytes(): number {
    return this.#bytes;
  }

  update(chunk: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(chunk);
    this.#bytes += chunk.length;
  }

  /** Lower-case hex, of what has passed by now. Only of the algorithms that it was made with. */
  hex(algorithm: ChecksumAlgorithm): string {
    const hash = this.#hashes.get(algorithm);
    if (hash === undefined) throw new Error(`no ${algorithm} was taken`);
    return hash.copy().digest('hex');
  }
}
