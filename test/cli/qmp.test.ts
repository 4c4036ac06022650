import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { TimeoutError } from '../../src/errors.ts';
import { QmpClient, withMonitor } from '../../src/providers/qemu/qmp.ts';

const path = join(tmpdir(), `qmp-${process.pid}.sock`);
let server: Server;

afterEach(async () => {
  vi.useRealTimers();
  server.close();
  await rm(path, { force: true });
});

/** A monitor that greets; `onRequest` is what happens then. */
function monitor(onRequest: (client: Socket) => void): Promise<void> {
  server = createServer((client) => {
    client.write('{"QMP": {}}\n');
    client.on('data', () => onRequest(client));
  });
  return new Promise((resolve) => server.listen(path, resolve));
}

test('a QEMU that greets and says nothing more is given up, with its connection', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let connection: Socket | undefined;
  await monitor((client) => {
    connection = client;
    vi.advanceTimersByTime(10_000);
  });
  await expect(QmpClient.connect(path, 1000)).rejects.toThrow(TimeoutError);
  await expect.poll(() => connection?.readableEnded).toBe(true);
});

test('an observer of it sees nothing', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  await monitor(() => vi.advanceTimersByTime(10_000));
  expect(await withMonitor(path, 1000, (client) => client.execute('query-status'))).toBeUndefined();
});
