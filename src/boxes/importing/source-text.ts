import { basename } from 'node:path/posix';
import { shownUrl } from '../../http/shown-url.ts';

/** What `source` of a box says that was downloaded from there. */
export function sourceAt(url: string): string {
  return `downloaded from ${shownUrl(url)}`;
}

/** The last part of the path of a URL, as it is written there: decoded it might steer a terminal. */
export function fileNameIn(url: string): string {
  if (!URL.canParse(url)) return url;
  const { pathname, host } = new URL(url);
  return basename(pathname) || host;
}
