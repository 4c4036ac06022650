import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { bindFailure } from '../../../src/host/ports.ts';

test.each([
  { what: 'taken', address: '127.0.0.1', code: 'EADDRINUSE' },
  { what: "not this host's", address: '192.0.2.1', code: 'EADDRNOTAVAIL' },
])('a TCP port that is $what', async ({ address, code }) => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(portOf(server.address())));
  });
  try {
    expect(await bindFailure({ hostIp: address, port, protocol: 'tcp' })).toBe(code);
  } finally {
    server.close();
  }
});

test('a UDP port that is taken, and free again', async () => {
  const socket = createSocket('udp4');
  const port = await new Promise<number>((resolve) => {
    socket.bind(0, '127.0.0.1', () => resolve(socket.address().port));
  });
  const address = { hostIp: '127.0.0.1', port, protocol: 'udp' } as const;
  expect(await bindFailure(address)).toBe('EADDRINUSE');
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  expect(await bindFailure(address)).toBeUndefined();
});

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  return address !== null && typeof address === 'object' ? address.port : 0;
}
