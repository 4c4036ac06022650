import type { IncomingHttpHeaders, OutgoingHttpHeaders, RequestListener, ServerResponse } from 'node:http';
import { type LocalServer, sendAndCut, serve } from './local-server.ts';

export interface ServedFile {
  content: Buffer;
  etag?: string;
  readonly lastModified?: string;
  /** Sends everything to those who ask for a range. */
  readonly ignoresRanges?: boolean;
  /** How many bytes of each of the next responses are sent before the connection breaks. */
  readonly cuts?: number[];
  /** How many bytes of each of the next responses are sent before nothing more comes. */
  readonly stalls?: number[];
  /** The status of each of the next responses; 200 is as usual. */
  readonly statuses?: number[];
  /** Goes with these. */
  readonly retryAfter?: string;
}

/** A server of one file that knows ranges and `If-Range`, and breaks off where it is told to. */
export function serveFile(file: ServedFile): Promise<LocalServer> {
  return serve(fileListener(file));
}

export function fileListener(file: ServedFile): RequestListener {
  return (request, response) => {
    const status = file.statuses?.shift() ?? 200;
    const from = rangeStart(request.headers, file);
    if (status !== 200) {
      response.writeHead(status, file.retryAfter === undefined ? {} : { 'retry-after': file.retryAfter }).end();
    } else if (from !== undefined && from >= file.content.length) {
      response.writeHead(416).end();
    } else {
      response.writeHead(from === undefined ? 200 : 206, headersOf(file, from));
      sendBody(response, file.content.subarray(from ?? 0), file);
    }
  };
}

function rangeStart({ range, 'if-range': ifRange }: IncomingHttpHeaders, file: ServedFile): number | undefined {
  const hasChanged = ifRange !== undefined && ifRange !== file.etag && ifRange !== file.lastModified;
  if (range === undefined || hasChanged || file.ignoresRanges) return undefined;
  return Number(/^bytes=(\d+)-$/.exec(range)?.[1]);
}

function headersOf({ content, etag, lastModified }: ServedFile, from: number | undefined): OutgoingHttpHeaders {
  return {
    'content-length': content.length - (from ?? 0),
    ...(from !== undefined && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { 'last-modified': lastModified }),
  };
}

function sendBody(response: ServerResponse, body: Buffer, file: ServedFile): void {
  const [cutAfter, stallAfter] = [file.cuts?.shift(), file.stalls?.shift()];
  if (cutAfter !== undefined) sendAndCut(response, body.subarray(0, cutAfter));
  else if (stallAfter !== undefined) response.write(body.subarray(0, stallAfter));
  else response.end(body);
}
