import type { TarMember } from '../../boxes/archives/tar-writer.ts';
import { inPhase } from '../../context.ts';
import type { ProcessIdentity } from '../../host/processes.ts';
import type { MachinePlan } from '../../machine/plan.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { MachineTemplate } from '../../machine/template.ts';
import type { ChangedCard } from '../../providers/provider.ts';
import { holdSwitches } from '../networks/switches.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { answerIn, isTellable, wakeText } from './agent.ts';

export interface StartedProcess {
  readonly process: ProcessIdentity;
  /** woken: it began with a template's memory, is who it is to be, and its server is about to accept logins. */
  readonly guestState: 'booting' | 'woken';
}

export interface Startable {
  readonly plan: MachinePlan;
  /** Before the start. */
  readonly record: MachineRecord;
  /** Absent: the guest takes its identity from elsewhere. */
  readonly seed: readonly TarMember[] | undefined;
}

/** Starts a machine: from a template's memory where it was made of one and never ran. Else, and if that cannot be, it boots. */
export async function startOrWake(
  project: Project,
  { plan, record, seed }: Startable,
  services: Services,
): Promise<StartedProcess> {
  const provider = services.providers[plan.spec.provider];
  const template = await templateOf(plan, record, services);
  const boot = async () => {
    await using _switches = await holdSwitches(project, plan.nics, services);
    return { process: await provider.start(plan, services), guestState: 'booting' as const };
  };
  if (template === undefined || seed === undefined || !isTellable(seed)) return boot();
  const { ramPath, memory } = template;
  const copy = { ...plan, ram: { path: ramPath, use: 'copy' } } as const;
  const textFor = (cards: readonly ChangedCard[]) => wakeText(plan.id, cards, seed);
  const outcome = await inPhase(services, plan.spec.name, 'wake', async () => {
    await using switches = await holdSwitches(project, plan.nics, services);
    // Others need not wait until the guest has done its part.
    const onStarted = async () => switches?.[Symbol.asyncDispose]();
    return await provider.startFromTemplate(copy, { memory, onStarted, textFor, answerIn }, services);
  });
  if (outcome.kind === 'restored') return { process: outcome.process, guestState: 'woken' };
  services.reporter.report({
    type: 'message',
    level: 'warning',
    subject: plan.spec.name,
    text: `boots, because it cannot go on from the memory that is kept: ${outcome.reason}`,
  });
  return boot();
}

async function templateOf(
  { spec, ram }: MachinePlan,
  { started, layer }: MachineRecord,
  { layers }: Services,
): Promise<MachineTemplate | undefined> {
  if (!spec.isWarm || ram !== undefined || started !== undefined || layer === undefined) return undefined;
  return (await layers.describe(layer))?.template;
}
