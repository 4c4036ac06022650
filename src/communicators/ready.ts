import { GuestError, InterruptedError, TimeoutError } from '../errors.ts';
import { pause, waitFor } from '../host/wait.ts';
import type { Communicator, SshEndpoint } from './communicator.ts';
import { ConnectError } from './connect-error.ts';
import { findServer, type SearchOptions } from './find-server.ts';
import { type ConnectOptions, connectSsh, preloadSsh } from './ssh.ts';

export interface ReadyOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Asked now and then: what tells that the guest will never be ready, or undefined while it may. */
  diagnose(): Promise<string | undefined>;
  /** The machine was started this moment. */
  readonly isBooting: boolean;
  /** How the guest is entered before it has its identity; see `ConnectOptions`. */
  readonly firstEntry?: ConnectOptions['firstEntry'];
  /**
   * Shows by something useful that the guest runs commands; absent: by a command that does nothing.
   * @throws GuestError where it does not, or not yet: then it is tried again.
   */
  check?(guest: Communicator): Promise<void>;
  /** Changes when the guest sets up its network card: then a login is worth trying at once. */
  networkMark(): Promise<string | undefined>;
  /** What is being waited for, each time that changes. */
  onProgress?(text: string): void;
}

/** What readiness does to the world; replaced in tests. */
export interface ReadyDeps {
  /** One login attempt: waits for a server, logs in, runs a command. */
  logIn(endpoint: SshEndpoint, options: LoginOptions, onProgress: (text: string) => void): Promise<Communicator>;
  pause(ms: number, signal: AbortSignal): Promise<void>;
  nowMs(): number;
}

export type LoginOptions = SearchOptions & Pick<ReadyOptions, 'firstEntry' | 'check'>;

const DIAGNOSE_EVERY_MS = 1000;
const RETRY_AFTER_MS = 100;

/** A guest that is being set up may take its keys late. This long a wrong one is put down to that. */
const LATE_KEYS_GRACE_MS = 10_000;

/** For one login. An emulated guest under load takes seconds. */
const LOGIN_TIMEOUT_MS = 30_000;

/**
 * Waits until the guest is ready: an authenticated session has run a command. That session is returned.
 * @throws GuestError when the guest cannot become ready: `diagnose` says so, or it goes on showing another host key or
 * refusing our key; TimeoutError when it did not answer in time; InterruptedError.
 */
export async function waitUntilReady(
  endpoint: SshEndpoint,
  options: ReadyOptions,
  deps: ReadyDeps = { logIn, pause, nowMs: () => performance.now() },
): Promise<Communicator> {
  const end = new AbortController();
  const signal = AbortSignal.any([options.signal, end.signal]);
  const loggingIn = logInPatiently(endpoint, { ...options, signal }, deps);
  const diagnosis = waitForDiagnosis({ ...options, signal });
  try {
    return await Promise.race([loggingIn, diagnosis]);
  } catch (error) {
    // Stopped below, unless it succeeds at this very moment.
    loggingIn.then(
      (tooLate) => tooLate[Symbol.asyncDispose](),
      () => {},
    );
    if (options.signal.aborted) throw new InterruptedError(undefined, { cause: error });
    throw error;
  } finally {
    end.abort();
    diagnosis.catch(() => {}); // stopped, because the login came first
  }
}

/** Never resolves: it ends with what is wrong, or with the deadline. */
async function waitForDiagnosis({ diagnose, timeoutMs, signal }: ReadyOptions): Promise<never> {
  const reason = await waitFor(diagnose, {
    what: "the guest's SSH server",
    timeoutMs,
    signal,
    minPauseMs: DIAGNOSE_EVERY_MS,
    maxPauseMs: DIAGNOSE_EVERY_MS,
  }).catch((error: unknown) => {
    throw error instanceof TimeoutError ? noSshInTime(timeoutMs, error) : error;
  });
  throw new GuestError(reason);
}

function noSshInTime(timeoutMs: number, cause: TimeoutError): TimeoutError {
  return new TimeoutError(`the guest did not answer on SSH within ${timeoutMs / 1000} s`, {
    hint: 'a slow guest gets more time by boot_timeout',
    cause,
  });
}

async function logInPatiently(endpoint: SshEndpoint, options: ReadyOptions, deps: ReadyDeps): Promise<Communicator> {
  let wrongSinceMs: number | undefined;
  const onProgress = whenChanged(options.onProgress);
  for (;;) {
    try {
      return await deps.logIn(endpoint, options, onProgress);
    } catch (error) {
      if (!(error instanceof GuestError)) throw error;
      onProgress(error.message);
      if (isIdentityFailure(error)) {
        wrongSinceMs ??= deps.nowMs();
        if (deps.nowMs() - wrongSinceMs >= LATE_KEYS_GRACE_MS) throw error;
      }
      await deps.pause(RETRY_AFTER_MS, options.signal);
    }
  }
}

function isIdentityFailure(error: GuestError): boolean {
  return error instanceof ConnectError && (error.failure === 'other_host_key' || error.failure === 'key_refused');
}

function whenChanged(onProgress: ((text: string) => void) | undefined): (text: string) => void {
  let last = '';
  return (text) => {
    if (text !== last) onProgress?.(text);
    last = text;
  };
}

async function logIn(
  endpoint: SshEndpoint,
  options: LoginOptions,
  onProgress: (text: string) => void,
): Promise<Communicator> {
  const { signal, firstEntry, check = (guest) => runNothing(guest, signal) } = options;
  onProgress('waiting for SSH');
  const [socket] = await Promise.all([findServer(endpoint, options), preloadSsh()]);
  onProgress('logging in');
  const communicator = await connectSsh(endpoint, {
    signal,
    socket,
    timeoutMs: LOGIN_TIMEOUT_MS,
    ...(firstEntry && { firstEntry }),
  });
  try {
    await check(communicator);
    return communicator;
  } catch (error) {
    await communicator[Symbol.asyncDispose]();
    throw error;
  }
}

async function runNothing(guest: Communicator, signal: AbortSignal): Promise<void> {
  const { exitCode } = await guest.exec({ script: 'true', signal });
  if (exitCode !== 0) throw new ConnectError('closed', `the guest runs no commands yet (exit code ${exitCode})`);
}
