import { stat } from 'node:fs/promises';
import { inPhase } from '../../context.ts';
import type { ProcessIdentity } from '../../host/processes.ts';
import type { MachinePlan } from '../../machine/plan.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { MachineTemplate } from '../../machine/template.ts';
import type { Services } from '../services.ts';
import { SEED_BYTES } from '../up/seed.ts';
import { answerIn, wakeLine } from './agent.ts';

export interface StartedProcess {
  readonly process: ProcessIdentity;
  /** woken: it began with a template's memory, is who it is to be, and its server is about to accept logins. */
  readonly guestState: 'booting' | 'woken';
}

/** Starts a machine: from a template's memory where it was made of one and never ran. Else, and if that cannot be, it boots. */
export async function startOrWake(
  plan: MachinePlan,
  record: MachineRecord,
  services: Services,
): Promise<StartedProcess> {
  const provider = services.providers[plan.spec.provider];
  const template = await templateOf(plan, record, services);
  const boot = async () => ({ process: await provider.start(plan, services), guestState: 'booting' as const });
  if (template === undefined) return boot();
  const { ramPath, memory } = template;
  const copy = { ...plan, ram: { path: ramPath, use: 'copy' } } as const;
  const outcome = await inPhase(services, plan.spec.name, 'wake', () =>
    provider.startFromTemplate(copy, { memory, lineFor: (cards) => wakeLine(plan.id, cards), answerIn }, services),
  );
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
  { spec, ram, layout }: MachinePlan,
  { started, layer }: MachineRecord,
  { layers }: Services,
): Promise<MachineTemplate | undefined> {
  if (!spec.isWarm || ram !== undefined || started !== undefined || layer === undefined) return undefined;
  if ((await stat(layout.seedTarPath)).size !== SEED_BYTES) return undefined;
  return (await layers.describe(layer))?.template;
}
