import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { RunContext } from '../../context.ts';
import { GuestError, TimeoutError } from '../../errors.ts';
import { readTail, sha256 } from '../../host/files.ts';
import { waitFor } from '../../host/wait.ts';
import { readMemoryFacts } from '../../machine/memory-files.ts';
import type { MachinePlan } from '../../machine/plan.ts';
import type { ChangedCard, MemoryRestore, Waking } from '../provider.ts';
import { qemuCommand } from './args.ts';
import { uefiOf } from './firmware.ts';
import { argsFingerprint, cardAddresses } from './memory-args.ts';
import { readHostFacts, readInstalledVersion } from './memory-facts.ts';
import { startFromMemory } from './memory-restore.ts';
import { runOn } from './run-on.ts';
import { stopQemu } from './stop.ts';

/** What a guest does when it is told who it is takes a second where it is emulated, and no time elsewhere. */
const WAKE_TIMEOUT_MS = 60_000;

/** See `Provider.templateTraits`. */
export async function templateTraits(plan: MachinePlan): Promise<string> {
  const { file, args } = qemuCommand({ ...plan, ram: { path: '', use: 'template', nics: [] } }, uefiOf(plan.spec));
  return sha256(JSON.stringify([argsFingerprint(args), await readInstalledVersion(file), readHostFacts(args)]));
}

/** See `Provider.startFromTemplate`. */
export async function startFromTemplate(
  plan: MachinePlan,
  { memory, onStarted, textFor, answerIn }: Waking,
  context: RunContext,
): Promise<MemoryRestore> {
  const saved = await readMemoryFacts(memory);
  if (saved === undefined) return { kind: 'refused', reason: 'what is kept of it cannot be read' };
  const command = qemuCommand(plan, uefiOf(plan.spec));
  await writeFile(plan.layout.serialLogPath, '', { mode: 0o600 });
  try {
    // The disks of the template are where they were frozen to.
    const start = { subject: plan, id: plan.id, saved: { ...saved, disks: [] }, files: memory };
    const outcome = await startFromMemory(command, start, context);
    if (outcome.kind === 'refused') return outcome;
    await onStarted();
    await runOn(plan.runtime.monitorPath);
    const text = textFor(changedCards(saved.command.args, command.args));
    const answer = await wake(plan, { text, answerIn }, context.signal);
    if (answer === 'ready') return outcome;
    await end(plan);
    return { kind: 'refused', reason: `its guest says: ${answer}` };
  } catch (error) {
    if (!(error instanceof GuestError || error instanceof TimeoutError)) throw error;
    await end(plan);
    return { kind: 'refused', reason: error.message };
  }
}

/** Pure. */
export function changedCards(former: readonly string[], args: readonly string[]): ChangedCard[] {
  const addresses = cardAddresses(args);
  return cardAddresses(former).map((from, index) => ({ from, to: addresses[index] ?? from }));
}

/** Tells the guest who it is, and gives its answer. QEMU forgets what it has not passed on when the connection ends. */
async function wake(
  { runtime, layout }: MachinePlan,
  { text, answerIn }: { readonly text: string } & Pick<Waking, 'answerIn'>,
  signal: AbortSignal,
): Promise<string> {
  const socket = connect(runtime.agentPath).resume();
  try {
    await once(socket, 'connect', { signal });
    // Its end says the same.
    socket.on('error', () => {});
    socket.write(text);
    const findAnswer = async () => {
      const hasEnded = socket.destroyed;
      const answer = answerIn(await readTail(layout.serialLogPath));
      if (answer === undefined && hasEnded) throw new GuestError('QEMU has ended');
      return answer;
    };
    return await waitFor(findAnswer, {
      what: 'the guest to take its identity',
      timeoutMs: WAKE_TIMEOUT_MS,
      signal,
      minPauseMs: 5,
      maxPauseMs: 20,
    });
  } finally {
    socket.destroy();
  }
}

/** Not to be interrupted: what was started must not stay. */
async function end({ id, spec, layout, runtime }: MachinePlan): Promise<void> {
  const { runtimeDir } = runtime;
  await stopQemu({ id, name: spec.name, layout, runtimeDir }, { force: true }, new AbortController().signal);
}
