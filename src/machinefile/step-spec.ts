export type RunPolicy = 'once' | 'always' | 'never';

/** One provisioning step. */
export interface StepSpec {
  /** Unique within its machine: as given, or `shell-1` for the first step, a shell step without a name. */
  readonly name: string;
  readonly run: RunPolicy;
  /** Absent: what it did is not kept for other machines. */
  readonly cache: StepCacheSpec | undefined;
  readonly action: StepAction;
}

/** How what a step did is kept for machines that begin alike. */
export interface StepCacheSpec {
  /** For how long; absent: for ever. */
  readonly ttlMs: number | undefined;
  /** Files and folders of the host that it depends on. */
  readonly readPaths: readonly string[];
}

export type StepAction = ShellStepSpec;

export interface ShellStepSpec {
  readonly type: 'shell';
  readonly script: ScriptSource;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** As root (by sudo where the login user is not root) or as the login user. */
  readonly privileged: boolean;
}

export type ScriptSource =
  | { readonly kind: 'inline'; readonly text: string }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string; readonly sha256: string };
