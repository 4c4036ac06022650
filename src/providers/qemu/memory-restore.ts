import type { RunContext } from '../../context.ts';
import { GuestError, StateError } from '../../errors.ts';
import type { HostCommand } from '../../host/exec.ts';
import { readTail, sha256OfFile } from '../../host/files.ts';
import { TransferProgress } from '../../http/progress-text.ts';
import { lastLines } from '../../machine/console-text.ts';
import { runtimeLayout } from '../../machine/layout.ts';
import type { MemoryFacts, MemoryFiles } from '../../machine/memory.ts';
import { readMemoryFacts } from '../../machine/memory-files.ts';
import type { Display } from '../../machinefile/spec.ts';
import type { MemoryRestore, RecordedMachine } from '../provider.ts';
import { incomingArgs, isRamShared, resumedArgs } from './memory-args.ts';
import { observePlace, obstacleHere, obstacleIn, readInstalledVersion } from './memory-facts.ts';
import { readHypervisorFacts } from './memory-save.ts';
import { type StreamFacts, sendState } from './memory-stream.ts';
import { ask, awaitMigration, leaveOutSharedRam } from './migration.ts';
import { type StartSubject, startCommand } from './start.ts';
import { stopQemu } from './stop.ts';

/** See `Provider.restoreMemory`. */
export async function restoreMemory(
  machine: RecordedMachine,
  files: MemoryFiles,
  context: RunContext,
): Promise<MemoryRestore> {
  const { record, layout } = machine;
  const saved = await readMemoryFacts(files);
  if (saved === undefined) return refused('what is kept of it cannot be read');
  const { file, args } = saved.command;
  const subject: StartSubject = {
    spec: { name: record.machine, display: displayOf(args) },
    layout,
    runtime: runtimeLayout(record.runtimeDir),
    volumes: [],
  };
  const command = { file, args: resumedArgs(args, record) };
  return startFromMemory(command, { subject, id: record.id, saved, files }, context);
}

function displayOf(args: readonly string[]): Display {
  const display = args[args.indexOf('-display') + 1];
  return display === 'gtk' || display === 'sdl' ? display : 'none';
}

export interface MemoryStart {
  readonly subject: StartSubject;
  /** Of the machine. */
  readonly id: string;
  readonly saved: MemoryFacts;
  readonly files: MemoryFiles;
}

/** Starts a QEMU that goes on from a memory, and holds the guest still. What was started for nothing is stopped again. */
export async function startFromMemory(
  command: HostCommand,
  start: MemoryStart,
  context: RunContext,
): Promise<MemoryRestore> {
  const { saved, files, subject } = start;
  const obstacle = obstacleHere(saved, await observePlace(files, saved));
  if (obstacle !== undefined) return refused(obstacle);
  try {
    const incoming = { ...command, args: incomingArgs(command.args) };
    const process = await startCommand(incoming, subject, context.signal);
    const reason = await fill(command.args, start, context);
    if (reason === undefined) return { kind: 'restored', process };
    await endAttempt(start, context);
    return refused(reason);
  } catch (error) {
    await endAttempt(start, context);
    const other = error instanceof GuestError ? await otherVersion(command, saved) : undefined;
    if (other === undefined) throw error;
    return refused(other);
  }
}

function refused(reason: string): MemoryRestore {
  return { kind: 'refused', reason };
}

/** Gives QEMU the memory that it waits for. Gives why it cannot go on from it; undefined once it can. */
async function fill(
  args: readonly string[],
  start: MemoryStart,
  { reporter, signal }: RunContext,
): Promise<string | undefined> {
  const { saved, files, subject } = start;
  const { monitorPath, memoryPath } = subject.runtime;
  const obstacle = await ask(monitorPath, async (monitor) =>
    obstacleIn(saved.hypervisor, await readHypervisorFacts(monitor, args)),
  );
  if (obstacle !== undefined) return obstacle;
  await ask(monitorPath, async (monitor) => {
    await leaveOutSharedRam(monitor, isRamShared(saved.command.args));
    await monitor.execute('migrate-incoming', { uri: `unix:${memoryPath}` });
  });
  const progress = new TransferProgress({
    report: (text) => reporter.report({ type: 'progress', subject: subject.spec.name, text }),
  });
  const onProgress = (bytes: number) => progress.update(bytes, saved.bytes);
  try {
    const sent = await sendState({ filePath: files.statePath, socketPath: memoryPath, onProgress }, signal);
    if (!isSame(sent, saved)) return DAMAGED;
    await awaitMigration(monitorPath, signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    return await whyNotTaken(error, start, signal);
  }
}

const DAMAGED = 'the file that it was saved in is damaged';

function isSame(sent: StreamFacts, { sha256, bytes }: MemoryFacts): boolean {
  return sent.sha256 === sha256 && sent.bytes === bytes;
}

/**
 * QEMU ends when it cannot make sense of what it is sent: of a damaged file, most likely, or it says why.
 * @throws the error where it says nothing: it was killed, say, and another one may take what this one did not.
 */
async function whyNotTaken(
  error: StateError,
  { saved, files, subject }: MemoryStart,
  signal: AbortSignal,
): Promise<string> {
  if ((await sha256OfFile(files.statePath, signal)) !== saved.sha256) return DAMAGED;
  const words = lastLines(await readTail(subject.layout.hypervisorLogPath)).trim();
  if (words === '') throw error;
  return `QEMU does not take it: ${words}`;
}

/** Ends the QEMU that was started, which has touched no disk. */
async function endAttempt({ subject, id }: MemoryStart, context: RunContext): Promise<void> {
  const { spec, layout, runtime } = subject;
  // Interrupted or not: what was started must not stay.
  const signal = context.signal.aborted ? new AbortController().signal : context.signal;
  await stopQemu({ id, name: spec.name, layout, runtimeDir: runtime.runtimeDir }, { force: true }, signal);
}

/** After a start that failed: what to say where that may be because QEMU is another one than when it was saved. */
async function otherVersion({ file }: HostCommand, { hypervisor }: MemoryFacts): Promise<string | undefined> {
  const version = await readInstalledVersion(file);
  return version === undefined ? undefined : obstacleIn(hypervisor, { ...hypervisor, version });
}
