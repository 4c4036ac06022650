import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import type { Client, ClientCallback, ConnectConfig, ServerHostKeyAlgorithm } from 'ssh2';
import { GuestError, InterruptedError, VmError } from '../errors.ts';
import type { Communicator, GuestCommand, GuestResult, SshEndpoint } from './communicator.ts';
import { ConnectError } from './connect-error.ts';
import { followCommand, remoteCommandLine } from './guest-command.ts';
import { explainConnectError } from './ssh-failures.ts';
import { PRIVATE_KEY_HINT } from './user-key.ts';

export interface ConnectOptions {
  readonly signal: AbortSignal;
  /** For the whole handshake and login. */
  readonly timeoutMs: number;
  /** A connection that is open already, with nothing of it consumed. */
  readonly socket?: Socket;
  /** Any of these keys is used, and any host key accepted: for a guest that was not given its identity yet. */
  readonly firstEntry?: { readonly privateKeys: readonly string[] };
}

/** A guest that is silent for a minute is lost. One whose hypervisor dies is noticed at once: the socket closes. */
const KEEPALIVE = { keepaliveInterval: 10_000, keepaliveCountMax: 6 };

/**
 * What both OpenSSH and dropbear 2022.83 speak, the cheapest for an emulated guest first. dropbear has no GCM.
 */
const ALGORITHMS = {
  kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org', 'ecdh-sha2-nistp256', 'diffie-hellman-group14-sha256'],
  cipher: ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes128-ctr', 'aes256-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} satisfies ConnectConfig['algorithms'];

/** Loads what a first connection needs, for use while there is something else to wait for. */
export async function preloadSsh(): Promise<void> {
  await import('ssh2');
}

/**
 * Logs in to a guest with its key and checks that it holds the pinned host key.
 * @throws ConnectError saying why not; VmError when the private key cannot be used; InterruptedError.
 */
export async function connectSsh(endpoint: SshEndpoint, options: ConnectOptions): Promise<Communicator> {
  let { socket } = options;
  try {
    const [{ default: ssh2 }, privateKey] = await Promise.all([import('ssh2'), readFile(endpoint.privateKeyPath)]);
    const client = new ssh2.Client();
    socket ??= connect(endpoint.port, endpoint.hostIp);
    socket.on('error', () => {}); // ssh2 reports it, once it listens
    // Requests are small and wait for each other's answers: Nagle's algorithm adds 40 ms to each of four.
    socket.setNoDelay(true);
    await logIn(client, { ...options, endpoint, privateKey, socket });
    return communicatorOver(client);
  } catch (error) {
    socket?.destroy();
    throw error instanceof VmError ? error : unusableKey(endpoint.privateKeyPath, error);
  }
}

/** Nothing else fails before there is a connection. */
function unusableKey(path: string, cause: unknown): VmError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new VmError(`cannot log in with the private key ${path}: ${reason}`, { cause, hint: PRIVATE_KEY_HINT });
}

interface Login extends ConnectOptions {
  readonly endpoint: SshEndpoint;
  readonly privateKey: Buffer;
  readonly socket: Socket;
}

function logIn(client: Client, login: Login): Promise<void> {
  const { endpoint, socket, signal, timeoutMs } = login;
  return new Promise((resolve, reject) => {
    let foreignHostKey: Buffer | undefined;
    const settle = (error?: unknown) => {
      signal.removeEventListener('abort', onAbort);
      client.off('close', onClose);
      if (error === undefined) return resolve();
      client.destroy();
      reject(error);
    };
    const onAbort = () => settle(new InterruptedError());
    const onClose = () =>
      settle(new ConnectError('closed', 'the guest closed the connection before the login was done'));
    if (signal.aborted) return onAbort();
    if (socket.destroyed) return onClose();
    signal.addEventListener('abort', onAbort, { once: true });
    client.once('ready', () => settle());
    client.on('error', (cause) => settle(explainConnectError(cause, { endpoint, foreignHostKey })));
    client.on('close', onClose);
    client.connect({
      sock: socket,
      ...KEEPALIVE,
      readyTimeout: timeoutMs,
      ...credentials(login, (key) => {
        foreignHostKey = key;
      }),
    });
  });
}

function credentials(
  { endpoint, privateKey, firstEntry }: Login,
  onForeignHostKey: (key: Buffer) => void,
): ConnectConfig {
  const { user: username, hostKey } = endpoint;
  if (firstEntry !== undefined) {
    const keys = [...firstEntry.privateKeys, privateKey];
    return {
      username,
      algorithms: ALGORITHMS,
      authHandler: keys.map((key) => ({ type: 'publickey', username, key })),
      hostVerifier: () => true,
    };
  }
  return {
    username,
    privateKey,
    algorithms: { ...ALGORITHMS, serverHostKey: hostKeyAlgorithms(hostKey) },
    // Without this ssh2 would first ask for a login without any authentication, which costs a round trip.
    authHandler: ['publickey'],
    hostVerifier: (key: Buffer) => {
      const isPinned = key.toString('base64') === hostKey.split(' ')[1];
      if (!isPinned) onForeignHostKey(key);
      return isPinned;
    },
  };
}

/** Only the kind of key that is pinned: asked for another one, the guest would prove nothing. */
function hostKeyAlgorithms(hostKey: string): ServerHostKeyAlgorithm[] {
  const [type = ''] = hostKey.split(' ');
  return type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type as ServerHostKeyAlgorithm]; // ssh2 checks the name
}

function communicatorOver(client: Client): Communicator {
  let isOpen = true;
  client.once('close', () => {
    isOpen = false;
  });
  return {
    async exec(command: GuestCommand): Promise<GuestResult> {
      if (command.signal?.aborted) throw new InterruptedError();
      return execOver(client, command);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (!isOpen) return;
      const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
      client.end();
      client.destroy();
      await closed;
    },
  };
}

function execOver(client: Client, command: GuestCommand): Promise<GuestResult> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new InterruptedError()); // a guest that hangs may never start it
    command.signal?.addEventListener('abort', onAbort, { once: true });
    const onStarted: ClientCallback = (cause, channel) => {
      command.signal?.removeEventListener('abort', onAbort);
      // At once: the packet that starts the command may be followed, in the same read, by those of its end.
      if (cause === undefined) followCommand(channel, command).then(resolve, reject);
      else reject(new GuestError(`the guest did not start a command: ${cause.message}`, { cause }));
    };
    try {
      client.exec(remoteCommandLine(command), onStarted);
    } catch (cause) {
      reject(new GuestError('the connection to the guest is lost', { cause })); // ssh2 knew before
    }
  });
}
