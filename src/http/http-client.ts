import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { InterruptedError } from '../errors.ts';
import { trustedCertificates } from './certificates.ts';
import { asHttpError, HttpError, type ResponseHead } from './http-errors.ts';
import { type ProxyEnvironment, proxyFor } from './proxy.ts';
import { shownUrl } from './shown-url.ts';

export interface HttpRequest {
  readonly url: string;
  /** Default: GET. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream needs a `content-length` header. */
  readonly body?: string | Uint8Array | Readable;
  /** Default: 10. Credentials are not sent on to another host. After the last one its redirect is the response. */
  readonly maxRedirects?: number;
  readonly signal: AbortSignal;
}

export interface HttpResponse extends ResponseHead {
  /** Must be read to its end, or discarded. `readBody` words its errors. */
  readonly body: Readable;
  discard(): Promise<void>;
}

/** HTTP as the core needs it; any status is a response, not an error. Dispose it to close its connections. */
export interface HttpClient extends AsyncDisposable {
  /** @throws HttpError if there is no whole response head, HttpConnectionError if one may come later; InterruptedError. */
  request(request: HttpRequest): Promise<HttpResponse>;
}

/** What of the environment matters, by the names curl knows. */
export interface HttpSettings {
  /** The variables of proxies, and `SSL_CERT_FILE`: certificates trusted instead of the system's. */
  readonly env: ProxyEnvironment;
}

const CONNECT_TIMEOUT_MS = 15_000;
const SILENCE_TIMEOUT_MS = 60_000;
const DEFAULT_MAX_REDIRECTS = 10;

export async function openHttpClient({ env }: HttpSettings): Promise<HttpClient> {
  const { default: undici } = await import('undici');
  const tls = { ca: trustedCertificates(env.SSL_CERT_FILE), timeout: CONNECT_TIMEOUT_MS };
  const direct = new undici.Agent({ connect: tls });
  const throughProxy = new Map<string, Dispatcher>();
  const dispatcherFor = (url: URL) => {
    const uri = proxyFor(url, env);
    if (uri === undefined) return direct;
    checkProxy(uri);
    // Proxies commonly allow CONNECT to the port of https only: what goes to http is forwarded.
    const agent =
      throughProxy.get(uri) ?? new undici.ProxyAgent({ uri, proxyTunnel: false, requestTls: tls, proxyTls: tls });
    throughProxy.set(uri, agent);
    return agent;
  };
  return {
    request: (request) => follow(dispatcherFor, request),
    async [Symbol.asyncDispose]() {
      await Promise.all([direct, ...throughProxy.values()].map((agent) => agent.destroy()));
    },
  };
}

function checkProxy(uri: string): void {
  if (URL.canParse(uri) && /^https?:/i.test(uri)) return;
  throw new HttpError(`the proxy ${shownUrl(uri)} is not one for http`, {
    hint: 'give https_proxy (or http_proxy, all_proxy) the form http://HOST:PORT',
  });
}

type DispatcherFor = (url: URL) => Dispatcher;

/** Follows redirects here, not in undici: each host has its own proxy, and credentials stay with the host they are for. */
async function follow(dispatcherFor: DispatcherFor, request: HttpRequest): Promise<HttpResponse> {
  const { maxRedirects = DEFAULT_MAX_REDIRECTS } = request;
  const url = parseUrl(request.url);
  const response = await send(dispatcherFor(url), request);
  const { location } = response.headers;
  if (!REDIRECTS.has(response.status) || location === undefined || maxRedirects === 0) return response;
  await response.discard();
  const target = parseUrl(location, url);
  if (url.protocol === 'https:' && target.protocol !== 'https:') {
    throw new HttpError(`${url.host} redirects from https to ${target.protocol.slice(0, -1)}`, {
      hint: 'vm does not follow it: use the address it should lead to',
    });
  }
  return follow(dispatcherFor, {
    ...request,
    url: target.href,
    maxRedirects: maxRedirects - 1,
    headers: target.origin === url.origin ? { ...request.headers } : withoutCredentials(request.headers),
  });
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

function parseUrl(text: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new HttpError(`“${text}” is not an http or https URL`, { hint: 'check the address' });
  }
  return url;
}

function withoutCredentials(headers: HttpRequest['headers'] = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(authorization|cookie)$/i.test(name)));
}

async function send(dispatcher: Dispatcher, request: HttpRequest): Promise<HttpResponse> {
  const { url, method = 'GET', headers, body, signal } = request;
  const { default: undici } = await import('undici');
  try {
    const response = await undici.request(url, {
      dispatcher,
      method,
      headers: { 'user-agent': 'machinefile', ...headers },
      signal,
      headersTimeout: SILENCE_TIMEOUT_MS,
      bodyTimeout: SILENCE_TIMEOUT_MS,
      ...(body !== undefined && { body }),
    });
    // Its errors are for whoever reads it; that nobody may must not end the process.
    response.body.on('error', () => {});
    return {
      status: response.statusCode,
      headers: firstOfEach(response.headers),
      body: response.body,
      async discard() {
        await response.body.dump();
      },
    };
  } catch (cause) {
    throw signal.aborted ? new InterruptedError() : asHttpError(cause, url, 'nothing');
  }
}

function firstOfEach(headers: Readonly<Record<string, string | string[] | undefined>>) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}
