/** The beginning of a stream, and the stream as if nobody had looked. */
export interface Head {
  readonly beginning: Buffer;
  readonly whole: AsyncIterable<Uint8Array>;
}

/** Looks at the first `bytes` of a stream; at fewer where it is shorter. `whole` must be read, or returned from. */
export async function readHead(source: AsyncIterable<Uint8Array>, bytes: number): Promise<Head> {
  const rest = source[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  for (let length = 0; length < bytes; ) {
    const { done, value } = await rest.next();
    if (done) break;
    seen.push(value);
    length += value.length;
  }
  return { beginning: Buffer.concat(seen), whole: chain(seen, rest) };
}

async function* chain(seen: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* seen;
    for (;;) {
      const { done, value } = await rest.next();
      if (done) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}
