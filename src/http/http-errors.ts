import { STATUS_CODES } from 'node:http';
import { VmError } from '../errors.ts';
import { systemErrorCode } from '../host/files.ts';
import { shownUrl } from './shown-url.ts';

/** An address does not give what was asked of it. Another address may. */
export class HttpError extends VmError {}

/** No answer, or only the beginning of one: nobody listens, the connection broke. Worth another try. */
export class HttpConnectionError extends HttpError {}

export interface ResponseHead {
  readonly status: number;
  /** Names in lower case; of a header that came several times, the first. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** A whole answer, but not the wanted one. */
export class HttpStatusError extends HttpError {
  readonly status: number;
  /** `HTTP 404 Not Found`. */
  readonly statusText: string;
  /** How long the server asks to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(url: string, { status, headers }: ResponseHead) {
    const statusText = `HTTP ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
    super(`${shownUrl(url)}: ${statusText}`, { hint: hintFor(status) });
    this.status = status;
    this.statusText = statusText;
    this.retryAfterMs = parseRetryAfter(headers['retry-after'], Date.now());
  }
}

function hintFor(status: number): string {
  if (status === 401) return 'it wants credentials';
  if (status === 403) return 'it wants other credentials, or gives this to nobody';
  if (status >= 500 || status === 408 || status === 429) return 'try again later';
  return 'check the address';
}

/** Seconds or a date (RFC 9110, 10.2.3), as milliseconds from now; undefined if it is neither. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.max(waitMs, 0);
}

/** Words what ended a request before its answer was whole, or before there was any of it. */
export function asHttpError(cause: unknown, url: string, received: 'nothing' | 'a part'): HttpError {
  const { host } = new URL(url);
  const code = systemErrorCode(cause) ?? '';
  const reason = (cause instanceof Error && cause.message) || code || String(cause);
  if (CERTIFICATE_CODE.test(code)) {
    return new HttpError(`${host} shows a certificate that is not trusted: ${reason}`, {
      hint: 'where a proxy or a server has its own authority, SSL_CERT_FILE names the file with its certificate',
      cause,
    });
  }
  const isPermanent = code === 'ENOTFOUND' || code === 'UND_ERR_INVALID_ARG' || PROXY_REFUSAL.test(reason);
  const what = received === 'nothing' ? `no answer from ${host}` : `the answer of ${host} broke off`;
  return new (isPermanent ? HttpError : HttpConnectionError)(`${what}: ${reason}`, {
    hint: 'check the network, and the proxy if there is one (https_proxy, no_proxy)',
    cause,
  });
}

/** OpenSSL's reasons as Node.js names them (node:tls, "X509 certificate error codes"), and undici's for a proxy. */
const CERTIFICATE_CODE = /CERT|^UNABLE_TO_|^INVALID_(CA|PURPOSE)|^HOSTNAME_MISMATCH|^UND_ERR_PRX_TLS/;

/** undici's words for an answer of 4xx to CONNECT; it has no code of its own. */
const PROXY_REFUSAL = /^Proxy response \(4/;
