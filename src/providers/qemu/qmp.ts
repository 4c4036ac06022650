import { connect, type Socket } from 'node:net';
import { StateError, TimeoutError } from '../../errors.ts';

/** QMP's messages, as far as they are looked at. Source: QEMU's docs/interop/qmp-spec. */
interface QmpMessage {
  readonly QMP?: unknown;
  readonly id?: number;
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly event?: string;
}

/** How long an observer waits for a monitor that another `vm` may be using. */
export const OBSERVER_TIMEOUT_MS = 200;

/** A QEMU that is merely busy answers sooner; one that does not is stuck, and nobody may wait for it forever. */
const REPLY_TIMEOUT_MS = 5_000;

interface PendingReply {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A connection to a running QEMU's monitor. QEMU serves one at a time: a second waits until the first is closed. */
export class QmpClient implements Disposable {
  readonly #socket: Socket;
  readonly #pending = new Map<number, PendingReply>();
  #nextId = 1;
  #received = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => this.#read(chunk));
    socket.on('close', () => this.#failPending(new StateError('QEMU closed its monitor')));
  }

  /**
   * Connects and negotiates.
   * @throws TimeoutError when the monitor does not greet in time (not up yet, or busy with another connection), or is
   * stuck; a system error when there is no socket.
   */
  static async connect(socketPath: string, timeoutMs: number): Promise<QmpClient> {
    const socket = connect(socketPath);
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const client = await new Promise<QmpClient>((resolve, reject) => {
        const client = new QmpClient(socket);
        client.#pending.set(0, { resolve: () => resolve(client), reject });
        socket.once('error', reject);
        deadline.addEventListener('abort', () => reject(silentFor(timeoutMs)));
      });
      await client.execute('qmp_capabilities');
      return client;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** @throws StateError with QEMU's words when it refuses, or when it ends meanwhile; TimeoutError when it is stuck. */
  async execute(command: string, args?: object, timeoutMs = REPLY_TIMEOUT_MS): Promise<unknown> {
    const id = this.#nextId++;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        if (this.#socket.destroyed) return reject(new StateError('QEMU closed its monitor'));
        this.#pending.set(id, { resolve, reject });
        timer = setTimeout(() => reject(silentFor(timeoutMs)), timeoutMs);
        this.#socket.write(`${JSON.stringify({ execute: command, id, ...(args && { arguments: args }) })}\n`);
      });
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    const lines = (this.#received + chunk).split('\n');
    this.#received = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() !== '') this.#handle(JSON.parse(line) as QmpMessage); // the shape is QEMU's promise
    }
  }

  #handle(message: QmpMessage): void {
    // The greeting has no id; it answers the connection itself.
    const id = message.QMP === undefined ? message.id : 0;
    const reply = id === undefined ? undefined : this.#pending.get(id);
    if (id === undefined || reply === undefined) return;
    this.#pending.delete(id);
    if (message.error) reply.reject(new StateError(`QEMU refused: ${message.error.desc}`));
    else reply.resolve(message.return);
  }

  #failPending(error: Error): void {
    for (const reply of this.#pending.values()) reply.reject(error);
    this.#pending.clear();
  }
}

function silentFor(ms: number): TimeoutError {
  return new TimeoutError(`QEMU's monitor is silent for ${ms} ms`);
}

/** Runs `work` with a monitor connection; undefined when QEMU does not answer in `timeoutMs` or has gone. */
export async function withMonitor<T>(
  socketPath: string,
  timeoutMs: number,
  work: (monitor: QmpClient) => Promise<T>,
): Promise<T | undefined> {
  let monitor: QmpClient | undefined;
  try {
    monitor = await QmpClient.connect(socketPath, timeoutMs);
    return await work(monitor);
  } catch (error) {
    if (error instanceof StateError || error instanceof TimeoutError || isSocketError(error)) return undefined;
    throw error;
  } finally {
    monitor?.[Symbol.dispose]();
  }
}

function isSocketError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
