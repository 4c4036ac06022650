/** Where and as whom a guest is reached. Both SSH clients read this one. */
export interface SshEndpoint {
  readonly hostIp: string;
  readonly port: number;
  readonly user: string;
  readonly privateKeyPath: string;
  /** The pinned host key, as in authorized_keys: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

export interface GuestCommand {
  /** A POSIX shell command line; values in it were quoted by `quoteForShell`. */
  readonly script: string;
  /** Written to its standard input, which then stays open until the command ends: a guest can tell by its end that
   * the host has gone away. */
  readonly input?: string | Uint8Array;
  /** Gives what is written to its standard input after a line that it has printed; undefined: nothing. */
  readonly answer?: (line: string) => string | undefined;
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  readonly signal?: AbortSignal;
}

export interface GuestResult {
  readonly exitCode: number;
  /** The last part of the output, at most 64 KiB each. */
  readonly stdout: string;
  readonly stderr: string;
}

/** An authenticated connection to a guest. Dispose it to close it. */
export interface Communicator extends AsyncDisposable {
  /**
   * Runs a command in the guest and resolves when it has ended, whatever its exit code.
   * On abort the guest's process is signalled, then InterruptedError is thrown.
   * @throws GuestError when the connection breaks, or a signal ended the command.
   */
  exec(command: GuestCommand): Promise<GuestResult>;
}
