import type { RunContext } from '../context.ts';
import type { SyncSpec } from '../machinefile/spec.ts';

export interface SyncTarget {
  readonly machine: string;
  readonly user: string;
  /** The machine's OpenSSH configuration and the name it is known by there. */
  readonly sshConfigPath: string;
  readonly sshAlias: string;
}

/** What a synchronisation did. */
export interface SyncOutcome {
  readonly filesSent: number;
  readonly filesDeleted: number;
}

/** One way to bring a host folder into a guest. */
export interface SyncedFolder<Spec extends SyncSpec> {
  /**
   * Makes the guest's folder like the host's. Safe to call again; transfers only what differs.
   * @throws MissingToolError or GuestError naming the side that lacks the tool.
   */
  sync(spec: Spec, target: SyncTarget, context: RunContext): Promise<SyncOutcome>;
}
