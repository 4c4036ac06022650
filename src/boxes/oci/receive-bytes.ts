import type { HttpResponse } from '../../http/http-client.ts';
import { HttpError } from '../../http/http-errors.ts';
import { describeSize } from '../../http/progress-text.ts';
import { readBody } from '../../http/read-body.ts';
import { shownUrl } from '../../http/shown-url.ts';

export interface ReceiveBytesOptions {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly maxBytes: number;
}

/**
 * The whole body of a response.
 * @throws HttpError when it is larger, which is not read on; HttpConnectionError when it ends early; InterruptedError.
 */
export async function receiveBytes(
  response: HttpResponse,
  { url, signal, maxBytes }: ReceiveBytesOptions,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of readBody(response, { url, signal })) {
    bytes += piece.length;
    if (bytes > maxBytes) {
      throw new HttpError(`${shownUrl(url)} is larger than the ${describeSize(maxBytes)} it may have`, {
        hint: 'the registry, or what stands before it, is at fault: tell whoever runs it',
      });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
