import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { TimeoutError } from '../../src/errors.ts';
import { runtimeLayout } from '../../src/machine/layout.ts';
import type { RecordedMachine } from '../../src/providers/provider.ts';
import { applyForwards } from '../../src/providers/qemu/forwards.ts';
import { QmpClient, withMonitor } from '../../src/providers/qemu/qmp.ts';

const dir = await mkdtemp(join(tmpdir(), 'vm-qmp-'));
const path = runtimeLayout(dir).monitorPath;
let server: Server | undefined;

afterEach(async () => {
  vi.useRealTimers();
  server?.close();
  await rm(path, { force: true });
});

afterAll(() => rm(dir, { recursive: true }));

/** A monitor that greets; `onRequest` is what happens then. */
function monitor(onRequest: (client: Socket, text: string) => void): Promise<void> {
  const listening = createServer((client) => {
    client.write('{"QMP": {}}\n');
    client.on('data', (bytes) => onRequest(client, String(bytes)));
  });
  server = listening;
  return new Promise((resolve) => listening.listen(path, resolve));
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

describe('ports of which one cannot be had', () => {
  const usernet =
    'Hub -1 (user):\r\n' +
    '  TCP[HOST_FORWARD]   9       127.0.0.1 20022       10.0.2.15    22     0     0\r\n' +
    '  TCP[HOST_FORWARD]  10       127.0.0.1  8080       10.0.2.15    80     0     0\r\n' +
    '  TCP[HOST_FORWARD]  11       127.0.0.1  9090       10.0.2.15    90     0     0\r\n';
  const ssh = { hostIp: '127.0.0.1', host: 20_022, guest: 22, protocol: 'tcp' } as const;
  const machine = { record: { machine: 'web', runtimeDir: dir }, layout: {} } as RecordedMachine; // all that is read

  /** A monitor that cannot listen on 8082; gives the commands that it was sent. */
  async function monitorOf(refuses: string): Promise<string[]> {
    const commands: string[] = [];
    await monitor((client, text) => {
      for (const line of text.trim().split('\n')) {
        const { execute, id, arguments: wanted } = JSON.parse(line);
        const command: string = wanted?.['command-line'] ?? execute;
        if (command.startsWith('hostfwd')) commands.push(command);
        client.write(`${JSON.stringify({ id, return: answerTo(command, refuses) })}\n`);
      }
    });
    return commands;
  }

  function answerTo(command: string, refuses: string): string {
    if (command === 'info usernet') return usernet;
    const rule = command.split(' ')[2] ?? '';
    if (command.startsWith('hostfwd_remove')) return `host forwarding rule for ${rule} removed\r\n`;
    return command.includes(refuses) ? `Could not set up host forwarding rule '${rule}'\r\n` : '';
  }

  test('what was done before is taken back, what was to follow is not begun', async () => {
    const commands = await monitorOf(':8082-');
    const wanted = [ssh, ...[8080, 8081, 8082].map((host) => ({ ...ssh, host, guest: 81 }))];
    await expect(applyForwards(machine, wanted)).rejects.toThrow('host port 8082 is already in use');
    expect(commands).toEqual([
      'hostfwd_remove user tcp:127.0.0.1:8080',
      'hostfwd_add user tcp:127.0.0.1:8080-:81',
      'hostfwd_add user tcp:127.0.0.1:8081-:81',
      'hostfwd_add user tcp:127.0.0.1:8082-:81',
      'hostfwd_remove user tcp:127.0.0.1:8081',
      'hostfwd_remove user tcp:127.0.0.1:8080',
      'hostfwd_add user tcp:127.0.0.1:8080-:80',
    ]);
  });

  test('what is there already is not touched, and what was done is told', async () => {
    const commands = await monitorOf('none');
    const [kept, added] = [
      { ...ssh, host: 8080, guest: 80 },
      { ...ssh, host: 8081, guest: 81 },
    ];
    expect(await applyForwards(machine, [ssh, added, kept])).toEqual({
      removed: [{ ...ssh, host: 9090, guest: 90 }],
      added: [added],
    });
    expect(commands).toEqual(['hostfwd_add user tcp:127.0.0.1:8081-:81', 'hostfwd_remove user tcp:127.0.0.1:9090']);
  });

  test('a QEMU that is not there', async () => {
    const nobody = { ...machine, record: { ...machine.record, runtimeDir: '/nonexistent' } };
    await expect(applyForwards(nobody, [ssh])).rejects.toThrow(
      'its ports cannot be changed, because QEMU does not answer',
    );
  });
});
