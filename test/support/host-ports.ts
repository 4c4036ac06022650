import { connect, createServer, type Server } from 'node:net';

/** A listener on loopback, over TCP; disposing it gives the port back. Port 0: any. */
export async function takePort(port = 0): Promise<AsyncDisposable & { readonly port: number }> {
  const server = await new Promise<Server>((resolve, reject) => {
    const listening = createServer();
    listening.once('error', reject);
    listening.listen({ host: '127.0.0.1', port }, () => resolve(listening));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A port that nobody has, below those of outgoing connections and of other tests. */
export async function freePort(): Promise<number> {
  for (let port = 15_000 + (process.pid % 4_000); ; port++) {
    const taken = await takePort(port).catch(() => undefined);
    if (taken === undefined) continue;
    await taken[Symbol.asyncDispose]();
    return port;
  }
}

/** All that a server on loopback says to whom says nothing; its error code where it lets nobody in. */
export function readAll(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      socket.end();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('close', () => resolve(text));
  });
}
