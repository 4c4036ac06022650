import { shownUrl } from '../../http/http-errors.ts';

/** What `source` of a box says that was downloaded from there. */
export function sourceAt(url: string): string {
  return `downloaded from ${shownUrl(url)}`;
}
