import { PassThrough } from 'node:stream';
import { InterruptedError } from '../errors.ts';
import type { HttpRequest, HttpResponse } from './http-client.ts';
import { asHttpError } from './http-errors.ts';

const READ_AHEAD_BYTES = 2 ** 20;

/**
 * The bytes of a response as they come, read ahead from this call on: when the connection breaks, undici drops what
 * nobody has read yet. Here all that came is given before the error is thrown.
 * @throws HttpConnectionError when they end early; InterruptedError.
 */
export function readBody(
  response: HttpResponse,
  request: Pick<HttpRequest, 'url' | 'signal'>,
): AsyncIterable<Uint8Array> {
  const received = new PassThrough({ highWaterMark: READ_AHEAD_BYTES });
  let failure: { readonly cause: unknown } | undefined;
  response.body.once('error', (cause) => {
    failure = { cause };
    received.end();
  });
  response.body.pipe(received);
  const read = async function* () {
    try {
      yield* received;
    } finally {
      response.body.destroy();
    }
    if (failure === undefined) return;
    throw request.signal.aborted ? new InterruptedError() : asHttpError(failure.cause, request.url, 'a part');
  };
  return read();
}
