import type { RunContext } from '../../context.ts';
import { VmError } from '../../errors.ts';
import { type Checksum, findInChecksumFile, type WantedChecksum } from '../../http/checksum.ts';
import { fetchText } from '../../http/fetch-text.ts';
import type { HttpClient } from '../../http/http-client.ts';
import { shownUrl } from '../../http/shown-url.ts';

/** Some list every file of a distribution. */
const LIST_MAX_BYTES = 4 * 2 ** 20;

export interface ChecksumTools {
  readonly context: RunContext;
  openHttp(): Promise<HttpClient>;
}

/**
 * The checksum that is wanted of a file: given, or found under the file's name in a list on a server.
 * @throws VmError if the list does not have it; HttpError if it cannot be had; InterruptedError.
 */
export async function findChecksum(
  wanted: WantedChecksum | undefined,
  fileName: string,
  { context, openHttp }: ChecksumTools,
): Promise<Checksum | undefined> {
  if (wanted === undefined || !('listedAt' in wanted)) return wanted;
  const { listedAt } = wanted;
  await using client = await openHttp();
  const { text } = await fetchText(listedAt, { client, signal: context.signal, maxBytes: LIST_MAX_BYTES });
  const found = findInChecksumFile(text, fileName);
  if (found !== undefined) return found;
  throw new VmError(`${shownUrl(listedAt)} has no checksum of ${fileName}`, {
    hint: 'give the list that belongs to the file, or the checksum itself: sha256:HEX or sha512:HEX',
  });
}
