import type { HttpClient, HttpResponse } from './http-client.ts';
import { HttpConnectionError, HttpStatusError } from './http-errors.ts';
import type { PartFile } from './part-file.ts';
import { originOf, type Validator } from './part-origin.ts';
import { describeSize } from './progress-text.ts';
import { readBody } from './read-body.ts';

export interface ReceiveOptions {
  readonly client: HttpClient;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Called with what is there by now, of how much, at the beginning and for each piece. */
  readonly onBytes: (bytes: number, totalBytes: number | undefined) => void;
}

/**
 * One try to get what is missing of a document: from where the part ends if the server can and the document is still
 * the same, from the beginning otherwise. After it the part is whole.
 * @throws HttpError, with what came kept in the part; InterruptedError; VmError if the disk is full.
 */
export async function receive(url: string, part: PartFile, options: ReceiveOptions): Promise<void> {
  const { body, totalBytes } = (await askForRest(url, part, options)) ?? (await askForAll(url, part, options));
  options.onBytes(part.digests.bytes, totalBytes);
  await part.append(body, (bytes) => options.onBytes(bytes, totalBytes));
  const { bytes } = part.digests;
  if (totalBytes !== undefined && bytes !== totalBytes) {
    throw new HttpConnectionError(
      `${new URL(url).host} ended the connection after ${describeSize(bytes)} of ${describeSize(totalBytes)}`,
      { hint: 'try again later: it goes on from there' },
    );
  }
}

interface Incoming {
  readonly body: AsyncIterable<Uint8Array>;
  /** Of the whole document. */
  readonly totalBytes: number | undefined;
}

/** What continues the part, or starts it over; undefined where all has to be asked for. */
async function askForRest(url: string, part: PartFile, options: ReceiveOptions): Promise<Incoming | undefined> {
  const validator = part.validatorFor(url);
  if (validator === undefined) return undefined;
  const { signal } = options;
  const range = { range: `bytes=${part.digests.bytes}-`, 'if-range': validator.value };
  const response = await ask(url, options, range);
  if (response.status === 200) return startOver(part, response, { url, signal });
  if (response.status === 206 && continues(response, part, validator)) {
    return { body: readBody(response, { url, signal }), totalBytes: parseContentRange(response)?.totalBytes };
  }
  await response.discard();
  if (response.status === 206 || response.status === RANGE_NOT_SATISFIABLE) return undefined;
  throw new HttpStatusError(url, response);
}

async function askForAll(url: string, part: PartFile, options: ReceiveOptions): Promise<Incoming> {
  const response = await ask(url, options, {});
  if (response.status === 200) return startOver(part, response, { url, signal: options.signal });
  await response.discard();
  throw new HttpStatusError(url, response);
}

const RANGE_NOT_SATISFIABLE = 416;

async function startOver(
  part: PartFile,
  response: HttpResponse,
  request: { readonly url: string; readonly signal: AbortSignal },
): Promise<Incoming> {
  // Reading begins before anything is waited for: what comes meanwhile must not get lost with the connection.
  const body = readBody(response, request);
  const origin = originOf(request.url, response.headers);
  await part.restart(origin);
  return { body, totalBytes: origin.lengthBytes };
}

function ask(
  url: string,
  { client, headers, signal }: ReceiveOptions,
  range: Readonly<Record<string, string>>,
): Promise<HttpResponse> {
  return client.request({ url, signal, headers: { ...headers, 'accept-encoding': 'identity', ...range } });
}

/** Not every server keeps to `If-Range` and to the range: what came must say that it fits. */
function continues(response: HttpResponse, part: PartFile, validator: Validator): boolean {
  const range = parseContentRange(response);
  const lengthBytes = part.lengthBytes ?? range?.totalBytes;
  const isSameDocument = (response.headers[validator.header] ?? validator.value) === validator.value;
  return range?.start === part.digests.bytes && range.totalBytes === lengthBytes && isSameDocument;
}

function parseContentRange({ headers }: HttpResponse): { start: number; totalBytes: number } | undefined {
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
  return start === undefined ? undefined : { start: Number(start), totalBytes: Number(total) };
}
