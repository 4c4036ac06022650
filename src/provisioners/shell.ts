import { asLoginUser, asRoot, sudoHint } from '../communicators/as-root.ts';
import type { RunContext } from '../context.ts';
import { GuestError } from '../errors.ts';
import { sha256 } from '../host/files.ts';
import type { ShellStepSpec } from '../machinefile/step-spec.ts';
import { guestStepInput, RUN_STEP } from './guest-step.ts';
import type { PreparedStep, Provisioner, ProvisionTarget } from './provisioner.ts';
import { openScript, type Script } from './script.ts';

const LINES_IN_MESSAGE = 20;
/** They are only compared with one another: whether a step runs is decided by its whole fingerprint. */
const PART_DIGITS = 16;

/** Runs a script in the guest: by the interpreter of its own `#!` line, otherwise by `bash -e`, or `sh -e` without bash. */
export const shellProvisioner: Provisioner<ShellStepSpec> = {
  async prepare(action): Promise<PreparedStep> {
    const script = await openScript(action.script);
    return {
      fingerprint: shellFingerprint(action, script.sha256),
      parts: shellParts(action, script.sha256),
      run: (target, context) => runScript({ action, script }, target, context),
    };
  },
};

/** Independent of where the script comes from: moving an inline script into a file changes nothing in the guest. */
export function shellFingerprint(action: ShellStepSpec, scriptSha256: string): string {
  return sha256(JSON.stringify(['shell', scriptSha256, action.args, sortedEnv(action), action.privileged]));
}

/** Digests of what the fingerprint is made of, by the names that the Machinefile has for it. */
export function shellParts(action: ShellStepSpec, scriptSha256: string): Record<string, string> {
  const digest = (value: unknown) => sha256(JSON.stringify(value)).slice(0, PART_DIGITS);
  return {
    script: scriptSha256.slice(0, PART_DIGITS),
    args: digest(action.args),
    env: digest(sortedEnv(action)),
    privileged: digest(action.privileged),
  };
}

function sortedEnv({ env }: ShellStepSpec): [name: string, value: string][] {
  return Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1));
}

async function runScript(
  { action, script }: { action: ShellStepSpec; script: Script },
  target: ProvisionTarget,
  context: RunContext,
): Promise<void> {
  const lastLines: string[] = [];
  const environment = { ...target.environment, ...action.env };
  const input = guestStepInput({ script: await script.load(context.signal), args: action.args, environment });
  const { exitCode, stderr } = await target.communicator.exec({
    script: action.privileged ? asRoot(RUN_STEP) : asLoginUser(RUN_STEP),
    input,
    signal: context.signal,
    onLine(line, stream) {
      lastLines.push(line);
      if (lastLines.length > LINES_IN_MESSAGE) lastLines.shift();
      context.reporter.report({ type: 'output', subject: target.machine, stream, line });
    },
  });
  if (exitCode === 0) return;
  const outcome = `step ${target.step} failed with exit code ${exitCode}`;
  throw new GuestError([outcome, ...lastLines].join('\n  '), { exitCode, hint: sudoHint(stderr) });
}
