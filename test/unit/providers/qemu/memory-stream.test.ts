import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { StateError } from '../../../../src/errors.ts';
import { type StreamFacts, sendState } from '../../../../src/providers/qemu/memory-stream.ts';

const STATE_BYTES = 800_000;

/** Sends a state to somebody who closes the connection when he has read so many bytes of it. */
async function sendTo(dir: string, readBytes: number): Promise<StreamFacts> {
  const socketPath = join(dir, 'memory.sock');
  const server = createServer((socket) => {
    let bytes = 0;
    socket.on('error', () => {});
    socket.on('data', ({ length }) => {
      bytes += length;
      if (bytes >= readBytes) socket.destroy();
    });
  }).listen(socketPath);
  await once(server, 'listening');
  try {
    const places = { filePath: join(dir, 'memory.state'), socketPath, onProgress: () => {} };
    return await sendState(places, new AbortController().signal);
  } finally {
    server.close();
    await rm(socketPath, { force: true });
  }
}

async function withState(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'vm-test-'));
  try {
    await writeFile(join(dir, 'memory.state'), Buffer.alloc(STATE_BYTES));
    await test(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

test('QEMU closes the connection when it has read the end, however soon that is', async () => {
  await withState(async (dir) => {
    // Whether we learn of it before we know that all is sent differs from time to time.
    for (let run = 0; run < 100; run++) expect(await sendTo(dir, STATE_BYTES)).toMatchObject({ bytes: STATE_BYTES });
  });
});

test('QEMU closes the connection before the end', async () => {
  await withState(async (dir) => {
    await writeFile(join(dir, 'memory.state'), Buffer.alloc(8 * STATE_BYTES));
    await expect(sendTo(dir, 1)).rejects.toThrow(StateError);
  });
});
