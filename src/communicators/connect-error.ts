import { GuestError } from '../errors.ts';

/**
 * Why no authenticated connection came about:
 * `other_host_key`: something answers, but it cannot prove to be this machine;
 * `key_refused`: it is the machine, and it does not take our key for this user;
 * `unreachable`: nothing takes connections there;
 * `closed`: the connection ended before the login was done;
 * `timed_out`: no answer in time.
 */
export type ConnectFailure = 'other_host_key' | 'key_refused' | 'unreachable' | 'closed' | 'timed_out';

/** No authenticated connection to a guest. */
export class ConnectError extends GuestError {
  readonly failure: ConnectFailure;

  constructor(failure: ConnectFailure, message: string, facts: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, facts);
    this.failure = failure;
  }
}
