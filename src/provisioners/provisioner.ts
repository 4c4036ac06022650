import type { Communicator } from '../communicators/communicator.ts';
import type { RunContext } from '../context.ts';
import type { StepAction } from '../machinefile/step-spec.ts';

/** What a step runs against. */
export interface ProvisionTarget {
  readonly machine: string;
  /** The step's name, for messages. */
  readonly step: string;
  readonly communicator: Communicator;
  /** The machine's `environment`; a step's own `env` goes before it. */
  readonly environment: Readonly<Record<string, string>>;
}

/** One kind of provisioning step. Stateless. */
export interface Provisioner<Action extends StepAction> {
  /**
   * Reads what the step depends on from the host, before any step runs, so that a missing file stops `up` early
   * and what is fingerprinted is what runs. What is pinned by a checksum may be fetched later, by `run`.
   * @throws VmError naming the file that cannot be read.
   */
  prepare(action: Action): Promise<PreparedStep>;
}

export interface PreparedStep {
  /**
   * Hex sha256 over what the step itself says: content, arguments, its own variables, privileges. The machine's
   * `environment` is no part of it: a new variable there must not repeat the installation of a database.
   */
  readonly fingerprint: string;
  /** Hex digests of what the fingerprint is made of, by name, so that it can be said what changed. */
  readonly parts: Readonly<Record<string, string>>;
  /**
   * Runs the step; its output goes line by line to the reporter. Nothing of it keeps running when this process dies,
   * except daemons that a successful step leaves behind.
   * @throws GuestError with exit code and last output when it fails; InterruptedError.
   */
  run(target: ProvisionTarget, context: RunContext): Promise<void>;
}
