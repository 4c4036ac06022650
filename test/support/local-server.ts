import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** An HTTP server on 127.0.0.1; disposing it ends its connections. */
export interface LocalServer extends AsyncDisposable {
  readonly server: Server;
  /** `http://127.0.0.1:PORT`, or https. */
  readonly origin: string;
  readonly port: number;
  /** All requests so far. */
  readonly seen: readonly SeenRequest[];
}

/** @param tls makes it speak HTTPS. */
export async function serve(
  listener: RequestListener,
  tls?: { readonly key: string; readonly cert: string },
): Promise<LocalServer> {
  const seen: SeenRequest[] = [];
  const handle: RequestListener = (request, response) => {
    seen.push({ method: request.method, url: request.url, headers: request.headers });
    listener(request, response);
  };
  const server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    server,
    port,
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Answers everything with one status. */
export function serveStatus(status: number): Promise<LocalServer> {
  return serve((_request, response) => response.writeHead(status).end());
}

/** A port on 127.0.0.1 at which nobody listens. */
export async function unusedPort(): Promise<number> {
  const { port, [Symbol.asyncDispose]: close } = await serve(() => {});
  await close();
  return port;
}

/** Sends bytes, then breaks the connection. */
export function sendAndCut(response: ServerResponse, bytes: Uint8Array): void {
  response.write(bytes, () => response.destroy());
}
