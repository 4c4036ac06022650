import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { systemErrorCode } from './files.ts';
import type { PortAddress, PortProtocol } from './port-address.ts';

/** Whether nothing on this host has the port now: found by binding it, since a connect test misses idle holders. */
export async function isPortFree(address: PortAddress): Promise<boolean> {
  return (await bindFailure(address)) === undefined;
}

/** The system's code for why the port cannot be had now, such as EADDRINUSE; undefined where it can. */
export function bindFailure(address: PortAddress): Promise<string | undefined> {
  return address.protocol === 'tcp' ? bindTcp(address) : bindUdp(address);
}

function bindTcp({ hostIp, port }: PortAddress): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(codeOf(error)));
    server.listen({ host: hostIp, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function bindUdp({ hostIp, port }: PortAddress): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(hostIp.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (error) => {
      socket.close();
      resolve(codeOf(error));
    });
    socket.bind({ address: hostIp, port, exclusive: true }, () => socket.close(() => resolve(undefined)));
  });
}

function codeOf(error: Error): string {
  return systemErrorCode(error) ?? error.message;
}

/** Below the ephemeral range of Linux (32768 and up), so that outgoing connections do not take them. */
const FREE_PORT_RANGE = { first: 20_000, count: 12_000 };

/**
 * Finds a port that is free now and not in `taken`, beginning at a place that depends on `seed`, so that machines
 * created at the same time by different processes seldom want the same one.
 */
export async function findFreePort(
  want: { readonly hostIp: string; readonly protocol: PortProtocol; readonly seed: number },
  taken: ReadonlySet<number>,
): Promise<number | undefined> {
  for (let offset = 0; offset < FREE_PORT_RANGE.count; offset++) {
    const port = FREE_PORT_RANGE.first + ((want.seed + offset) % FREE_PORT_RANGE.count);
    if (!taken.has(port) && (await isPortFree({ ...want, port }))) return port;
  }
  return undefined;
}
