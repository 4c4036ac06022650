import type { HttpClient, HttpResponse } from './http-client.ts';
import { HttpError, HttpStatusError, type ResponseHead } from './http-errors.ts';
import { describeSize } from './progress-text.ts';
import { readBody } from './read-body.ts';
import { shownUrl } from './shown-url.ts';

export interface FetchTextOptions {
  readonly client: HttpClient;
  readonly signal: AbortSignal;
  readonly maxBytes: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TextDocument extends ResponseHead {
  readonly text: string;
  /** In lower case, without parameters: `application/json`. */
  readonly contentType: string | undefined;
}

/**
 * Gets a small document, like a file of checksums, in UTF-8.
 * @throws HttpStatusError for any status but 2xx; HttpError when it is too large, which is not read on, or cannot be
 * had; InterruptedError.
 */
export async function fetchText(url: string, options: FetchTextOptions): Promise<TextDocument> {
  const { client, signal, headers = {} } = options;
  const response = await client.request({ url, signal, headers: { ...headers, 'accept-encoding': 'identity' } });
  if (response.status < 200 || response.status > 299) {
    await response.discard();
    throw new HttpStatusError(url, response);
  }
  const contentType = response.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  const text = await readText(url, response, options);
  return { status: response.status, headers: response.headers, contentType, text };
}

async function readText(url: string, response: HttpResponse, { signal, maxBytes }: FetchTextOptions): Promise<string> {
  const declaredBytes = Number(response.headers['content-length'] ?? 0);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of readBody(response, { url, signal })) {
    bytes += chunk.length;
    if (Math.max(bytes, declaredBytes) > maxBytes) {
      throw new HttpError(`${shownUrl(url)} is larger than ${describeSize(maxBytes)}`, {
        hint: 'check the address: it should be that of a small text',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
