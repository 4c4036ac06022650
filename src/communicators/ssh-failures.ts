import type { VmError } from '../errors.ts';
import type { SshEndpoint } from './communicator.ts';
import { ConnectError, type ConnectFailure } from './connect-error.ts';
import { keyFingerprint } from './user-key.ts';

/** What ssh2 tells with an error, beside its message. */
interface Ssh2Error extends Error {
  readonly level?: string;
  readonly code?: string | number;
}

interface Circumstances {
  readonly endpoint: SshEndpoint;
  /** The key the guest showed instead of the pinned one. */
  readonly foreignHostKey: Buffer | undefined;
}

/** Turns what ssh2 reports into a reason that readiness can decide by. */
export function explainConnectError(error: Ssh2Error, circumstances: Circumstances): VmError {
  const { endpoint, foreignHostKey } = circumstances;
  const failure = failureOf(error, foreignHostKey !== undefined);
  switch (failure) {
    case 'other_host_key':
      return new ConnectError(failure, otherHostKeyMessage(foreignHostKey), {
        cause: error,
        hint: OTHER_HOST_KEY_HINT,
      });
    case 'key_refused':
      return new ConnectError(
        failure,
        `the guest refuses the key ${endpoint.privateKeyPath} for user ${endpoint.user}`,
        {
          cause: error,
          hint: KEY_REFUSED_HINT,
        },
      );
    case 'unreachable':
      return new ConnectError(failure, `nothing answers at ${endpoint.hostIp}:${endpoint.port}`, { cause: error });
    case 'timed_out':
      return new ConnectError(failure, 'the guest did not finish the login in time', { cause: error });
    case 'closed':
      return new ConnectError(failure, `the connection broke during the login: ${error.message}`, { cause: error });
  }
}

const OTHER_HOST_KEY_HINT =
  'another machine has this port, or the guest did not take the identity it was seeded with: vm logs shows its boot';
const KEY_REFUSED_HINT =
  'the guest did not take the identity it was seeded with, or its user is another one: vm logs shows its boot, ssh.user names the user';

function otherHostKeyMessage(foreignHostKey: Buffer | undefined): string {
  return foreignHostKey === undefined
    ? 'the guest answers with another host key than the one pinned for this machine (of another type)'
    : `the guest answers with another host key than the one pinned for this machine (${keyFingerprint(foreignHostKey)})`;
}

function failureOf(error: Ssh2Error, hasForeignHostKey: boolean): ConnectFailure {
  if (hasForeignHostKey || /no matching host key/.test(error.message)) return 'other_host_key';
  switch (error.level) {
    case 'client-authentication':
      return 'key_refused';
    case 'client-timeout':
      return 'timed_out';
    case 'client-socket':
      return error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'closed' : 'unreachable';
    default:
      return 'closed';
  }
}
