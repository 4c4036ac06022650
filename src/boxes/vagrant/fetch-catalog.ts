import { type FetchTextOptions, fetchText } from '../../http/fetch-text.ts';
import { HttpStatusError } from '../../http/http-errors.ts';
import { shownUrl } from '../../http/shown-url.ts';
import { CATALOG_MAX_BYTES, parseCatalog, type VagrantCatalog } from './catalog.ts';

const NOT_FOUND = 404;

/**
 * The catalog at the first of these addresses that has something.
 * @throws VmError if it is malformed; HttpError if there is none; InterruptedError.
 */
export async function fetchCatalog(
  [url, ...others]: readonly [string, ...string[]],
  tools: Pick<FetchTextOptions, 'client' | 'signal'>,
): Promise<VagrantCatalog> {
  try {
    const { text } = await fetchText(url, { ...tools, maxBytes: CATALOG_MAX_BYTES });
    return parseCatalog(text, shownUrl(url));
  } catch (error) {
    const [next, ...rest] = others;
    if (next === undefined || !(error instanceof HttpStatusError && error.status === NOT_FOUND)) throw error;
    return fetchCatalog([next, ...rest], tools);
  }
}
