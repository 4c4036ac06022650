import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SshEndpoint } from '../../src/communicators/communicator.ts';
import { generateSshKeyPair, type SshKeyPair, writeSshKeyPair } from '../../src/communicators/keys.ts';
import { waitUntilReady } from '../../src/communicators/ready.ts';
import { connectSsh } from '../../src/communicators/ssh.ts';
import { InterruptedError } from '../../src/errors.ts';

/** An SSH server in this process that takes one key and "runs" every command by `onCommand`. */
interface TestServer {
  readonly endpoint: SshEndpoint;
  readonly connections: Set<Connection>;
  onCommand(command: string, channel: ServerChannel): void;
}

let folder: string;
let server: TestServer;
const closing: (() => void)[] = [];
const signal = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ssh-'));
  server = await startServer();
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await rm(folder, { recursive: true });
});

async function writeKey(name: string): Promise<SshKeyPair & { readonly privateKeyPath: string }> {
  const pair = generateSshKeyPair(name);
  const privateKeyPath = join(folder, name);
  await writeSshKeyPair(pair, { privateKeyPath, publicKeyPath: `${privateKeyPath}.pub` });
  return { ...pair, privateKeyPath };
}

async function startServer(): Promise<TestServer> {
  const [hostKey, clientKey] = [generateSshKeyPair('host'), await writeKey('client')];
  const connections = new Set<Connection>();
  const allowedKey = clientKey.publicKey.split(' ')[1];
  const listener = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, (connection) => {
    connections.add(connection);
    connection.on('error', () => {}); // a client that hangs up is no failure of a server
    connection.on('authentication', (context) => {
      const isAllowed = context.method === 'publickey' && context.key.data.toString('base64') === allowedKey;
      if (isAllowed) context.accept();
      else context.reject(['publickey']);
    });
    connection.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => result.onCommand(command, acceptExec()));
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const connection of connections) connection.end();
    listener.close();
  });
  const { port } = listener.address() as AddressInfo; // listening on TCP
  const result: TestServer = {
    endpoint: { hostIp: '127.0.0.1', port, user: 'vm', ...clientKey, hostKey: hostKey.publicKey },
    connections,
    onCommand(command, channel) {
      channel.write(`ran ${command}\n`);
      channel.exit(0);
      channel.end();
    },
  };
  return result;
}

test('a command runs, its output arrives, the connection closes', async () => {
  await using guest = await connectSsh(server.endpoint, { signal, timeoutMs: 5000 });
  const lines: string[] = [];
  const result = await guest.exec({ script: 'true', input: '', onLine: (line) => lines.push(line) });
  expect(result).toEqual({ exitCode: 0, stdout: 'ran true\n', stderr: '' });
  expect(lines).toEqual(['ran true']);
});

test('readiness uses the connection on which the banner came', async () => {
  await using guest = await waitUntilReady(server.endpoint, {
    signal,
    timeoutMs: 5000,
    diagnose: async () => undefined,
    isBooting: false,
    networkMark: async () => '',
  });
  expect((await guest.exec({ script: 'x' })).exitCode).toBe(0);
  expect(server.connections.size).toBe(1);
});

test('another host key, a key that is refused, and a port with nobody behind it are told apart', async () => {
  const stranger = await writeKey('stranger');
  const cases: [Partial<SshEndpoint>, string][] = [
    [{ hostKey: stranger.publicKey }, 'other_host_key'],
    [{ hostKey: 'ecdsa-sha2-nistp256 AAAA' }, 'other_host_key'],
    [{ privateKeyPath: stranger.privateKeyPath }, 'key_refused'],
    [{ port: 1 }, 'unreachable'],
  ];
  for (const [change, failure] of cases) {
    const connecting = connectSsh({ ...server.endpoint, ...change }, { signal, timeoutMs: 5000 });
    await expect(connecting).rejects.toMatchObject({ failure });
  }
});

test('a connection that breaks ends the command', async () => {
  server.onCommand = () => {
    for (const connection of server.connections) connection.end();
  };
  await using guest = await connectSsh(server.endpoint, { signal, timeoutMs: 5000 });
  await expect(guest.exec({ script: 'x', input: '' })).rejects.toThrow('the connection to the guest broke');
  await expect(guest.exec({ script: 'x', input: '' })).rejects.toThrow('the connection to the guest is lost');
});

test('an interrupted command hears of it', async () => {
  const heard: string[] = [];
  const abort = new AbortController();
  server.onCommand = (_command, channel) => {
    channel.on('signal', (name: string) => heard.push(name));
    channel.on('end', () => {
      heard.push('end of input');
      channel.exit('TERM');
      channel.end();
    });
    channel.resume();
    channel.write('started\n');
  };
  await using guest = await connectSsh(server.endpoint, { signal, timeoutMs: 5000 });
  const running = guest.exec({ script: 'x', input: '', signal: abort.signal, onLine: () => abort.abort() });
  await expect(running).rejects.toThrow(InterruptedError);
  expect(heard).toContain('end of input');
});

test('an interruption is heard before a command has started, too', async () => {
  const abort = new AbortController();
  server.onCommand = () => abort.abort();
  await using guest = await connectSsh(server.endpoint, { signal, timeoutMs: 5000 });
  const running = guest.exec({ script: 'x', input: '', signal: abort.signal });
  await expect(running).rejects.toThrow(InterruptedError);
});

test('a private key that cannot be used is named', async () => {
  for (const privateKeyPath of [join(folder, 'missing'), join(folder, 'client.pub')]) {
    const connecting = connectSsh({ ...server.endpoint, privateKeyPath }, { signal, timeoutMs: 5000 });
    await expect(connecting).rejects.toThrow(`cannot log in with the private key ${privateKeyPath}`);
  }
});
