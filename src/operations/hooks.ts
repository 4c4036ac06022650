import { resolve } from 'node:path';
import { inPhase } from '../context.ts';
import { CommandError, VmError } from '../errors.ts';
import { runAttended } from '../host/attended.ts';
import { findTool, type HostCommand } from '../host/exec.ts';
import type { MachineLayout } from '../machine/layout.ts';
import type { MachineRecord } from '../machine/record.ts';
import type { HookName, MachineSpec } from '../machinefile/spec.ts';
import { findSpec, type Project, requireSpec } from './project.ts';
import type { Services } from './services.ts';

/** What hooks stand around. */
export type HookedOperation = 'up' | 'halt' | 'destroy' | 'provision';

/** What a failing hook leaves, and how to go on. */
const CONSEQUENCES: Readonly<Record<HookName, (machine: string) => string>> = {
  before_up: (machine) => `nothing was done with ${machine}; --no-hooks goes on without its hooks`,
  before_halt: (machine) => `${machine} was not halted; --no-hooks goes on without its hooks`,
  before_destroy: (machine) => `${machine} was not destroyed; --no-hooks goes on without its hooks`,
  before_provision: () => 'no provisioning step was run; --no-hooks goes on without hooks',
  after_up: (machine) => `${machine} is left running; vm up ${machine} runs the hook again`,
  after_halt: (machine) => `${machine} is halted all the same`,
  after_destroy: (machine) => `${machine} is destroyed all the same`,
  after_provision: (machine) => `its steps are done; vm provision ${machine} runs them, and the hook, again`,
};

/**
 * Does `work` between the hooks of a machine; a machine that is not in the Machinefile has none. Call with its lock held.
 * @throws CommandError for a hook that fails: of one before, nothing is done; after one after, all is done.
 */
export async function withHooks<T>(
  project: Project,
  { machine, operation }: { readonly machine: string; readonly operation: HookedOperation },
  services: Services,
  work: () => Promise<T>,
): Promise<T> {
  const spec = await findSpec(project, machine);
  await runHook(project, { spec, name: `before_${operation}` }, services);
  const result = await work();
  await runHook(project, { spec, name: `after_${operation}` }, services);
  return result;
}

async function runHook(
  project: Project,
  { spec, name }: { readonly spec: MachineSpec | undefined; readonly name: HookName },
  services: Services,
): Promise<void> {
  const commands = spec?.hooks[name];
  if (spec === undefined || commands === undefined || commands.length === 0) return;
  await inPhase(services, spec.name, `hook ${name}`, async () => {
    // Of a damaged machine only its name is known.
    const record = await project.states.readIfWhole(spec.name);
    const machine = record && { record, layout: project.states.layout(spec.name) };
    const { projectDir } = project;
    const facts = { hook: name, projectName: requireSpec(project).name, projectDir, machineName: spec.name, machine };
    const env = hookEnvironment(facts);
    for (const command of commands) await runCommand(command, { ...facts, env }, services);
  });
}

export interface HookFacts {
  readonly hook: HookName;
  readonly projectName: string;
  readonly projectDir: string;
  readonly machineName: string;
  /** Where it exists. */
  readonly machine: { readonly record: MachineRecord; readonly layout: MachineLayout } | undefined;
}

/** The variables of a hook; those that do not apply are not there, also where this process has them. */
export function hookEnvironment(facts: HookFacts): Record<string, string | undefined> {
  const { record, layout } = facts.machine ?? {};
  // A machine that was never started has no port yet.
  const ssh = record !== undefined && record.ssh.port !== 0 ? record.ssh : undefined;
  return {
    VM_HOOK: facts.hook,
    VM_PROJECT: facts.projectName,
    VM_PROJECT_DIR: facts.projectDir,
    VM_MACHINE: facts.machineName,
    VM_SSH_HOST: ssh?.hostIp,
    VM_SSH_PORT: ssh && String(ssh.port),
    VM_SSH_USER: ssh?.user,
    VM_SSH_KEY: ssh && (ssh.privateKeyPath ?? layout?.privateKeyPath),
  };
}

const LINES_IN_MESSAGE = 5;

async function runCommand(
  command: HostCommand,
  { hook, machineName, projectDir, env }: HookFacts & { readonly env: Readonly<Record<string, string | undefined>> },
  { reporter, signal }: Services,
): Promise<void> {
  const hint = CONSEQUENCES[hook](machineName);
  if (!isThere(command.file, projectDir)) {
    throw new VmError(`${machineName}: hook ${hook} cannot run: there is no program ${command.file}`, { hint });
  }
  let last: string[] = [];
  const exitCode = await runAttended(command, {
    cwd: projectDir,
    env,
    signal,
    onLine: (line, stream) => {
      last = [...last, line].slice(-LINES_IN_MESSAGE);
      reporter.report({ type: 'output', subject: machineName, stream, line });
    },
  });
  if (exitCode === 0) return;
  const output = last.map((line) => `\n  ${line}`).join('');
  throw new CommandError(
    `${machineName}: hook ${hook} failed: ${command.file} ended with exit code ${exitCode}${output && `:${output}`}`,
    { hint, command: [command.file, ...command.args], exitCode, stderr: last.join('\n') },
  );
}

function isThere(file: string, projectDir: string): boolean {
  return findTool(file.includes('/') ? resolve(projectDir, file) : file) !== undefined;
}
