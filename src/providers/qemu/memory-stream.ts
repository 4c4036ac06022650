import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InterruptedError, StateError, TimeoutError } from '../../errors.ts';
import { asWriteError, syncToDisk } from '../../host/files.ts';

/** What went through a stream. */
export interface StreamFacts {
  readonly sha256: string;
  readonly bytes: number;
}

export interface StreamPlaces {
  readonly filePath: string;
  readonly socketPath: string;
  /** Told of how many bytes went through. */
  onProgress(bytes: number): void;
}

const CHUNK_BYTES = 1 << 20;
/** Who has read nothing for so long will not go on. */
const IDLE_TIMEOUT_MS = 60_000;

/** Takes a single connection on a socket, and writes what comes over it into a file. Dispose it after use. */
export class StateReceiver implements AsyncDisposable {
  readonly #server: Server;
  readonly #places: StreamPlaces;
  readonly #ends = new AbortController();
  #failure: unknown;
  /** What was received, once it is on the disk. */
  readonly received: Promise<StreamFacts>;

  private constructor(server: Server, places: StreamPlaces) {
    this.#server = server;
    this.#places = places;
    this.received = this.#receive();
    this.received.catch(() => {}); // whoever awaits it is told
  }

  static async listen(places: StreamPlaces): Promise<StateReceiver> {
    await rm(places.socketPath, { force: true });
    const server = createServer();
    server.listen(places.socketPath);
    await once(server, 'listening');
    return new StateReceiver(server, places);
  }

  /** Why it stopped by itself: the disk is full. The sender knows no more than that nobody listens. */
  get failure(): unknown {
    return this.#failure;
  }

  async #receive(): Promise<StreamFacts> {
    const { signal } = this.#ends;
    const [socket] = (await once(this.#server, 'connection', { signal })) as [Socket]; // what that event carries
    try {
      return await this.#store(socket);
    } catch (error) {
      socket.destroy();
      if (!signal.aborted) this.#failure = asWriteError(this.#places.filePath, error);
      throw error;
    }
  }

  async #store(socket: Socket): Promise<StreamFacts> {
    const { filePath, onProgress } = this.#places;
    const meter = new HashingStream(onProgress);
    const output = createWriteStream(filePath, { mode: 0o600, highWaterMark: CHUNK_BYTES });
    await pipeline(socket, meter, output, { signal: this.#ends.signal });
    await syncToDisk(filePath);
    return meter.facts();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ends.abort();
    this.#server.close();
    await this.received.catch(() => {});
    await rm(this.#places.socketPath, { force: true });
  }
}

/**
 * Sends a file to whoever listens on a socket. QEMU closes it as soon as it has read the end, maybe before we know that all
 * is sent: whether it has taken it is for its migration to say.
 * @throws StateError if the socket closes before the end.
 */
export async function sendState(
  { filePath, socketPath, onProgress }: StreamPlaces,
  signal: AbortSignal,
): Promise<StreamFacts> {
  const { size } = await stat(filePath);
  const meter = new HashingStream(onProgress);
  const socket = connect(socketPath);
  socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy(new TimeoutError('QEMU reads nothing any more')));
  try {
    await pipeline(createReadStream(filePath, { highWaterMark: CHUNK_BYTES }), meter, socket, { signal });
  } catch (cause) {
    if (signal.aborted) throw new InterruptedError(undefined, { cause });
    if (meter.bytes < size) throw new StateError('QEMU did not take all of its memory', { cause });
  } finally {
    socket.destroy();
  }
  return meter.facts();
}

/** Passes on what it is given. */
class HashingStream extends Transform {
  readonly #hash: Hash = createHash('sha256');
  readonly #onProgress: (bytes: number) => void;
  #bytes = 0;

  constructor(onProgress: (bytes: number) => void) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#onProgress = onProgress;
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, chunk: Buffer) => void): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    this.#onProgress(this.#bytes);
    done(null, chunk);
  }

  /** So many have gone through. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Once all has gone through. */
  facts(): StreamFacts {
    return { sha256: this.#hash.digest('hex'), bytes: this.#bytes };
  }
}
