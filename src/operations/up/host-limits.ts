import { type HostCapacity, readHostCapacity } from '../../host/capacity.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';

/** Compares what machines that do not run yet ask for with what this host has, and says when that is less. */
export async function compareWithHost(
  { states }: Project,
  specs: readonly MachineSpec[],
  { providers, reporter }: Services,
): Promise<void> {
  const starting: MachineSpec[] = [];
  for (const spec of specs) {
    const record = await states.readIfWhole(spec.name);
    const observed = record && (await providers[record.provider].state({ record, layout: states.layout(spec.name) }));
    if (observed === undefined || observed.kind === 'stopped' || observed.kind === 'suspended') starting.push(spec);
  }
  const warning = memoryWarning(starting, readHostCapacity());
  if (warning !== undefined) reporter.report({ type: 'message', level: 'warning', text: warning });
}

/** What is to be said of machines that are about to start together on this host; undefined where all fit. Pure. */
export function memoryWarning(
  starting: readonly Pick<MachineSpec, 'name' | 'memoryBytes'>[],
  { availableMemoryBytes, totalMemoryBytes }: Pick<HostCapacity, 'availableMemoryBytes' | 'totalMemoryBytes'>,
): string | undefined {
  const askedBytes = starting.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  if (askedBytes <= availableMemoryBytes) return undefined;
  const names = starting.map(({ name }) => name).join(', ');
  const verb = starting.length === 1 ? 'asks' : 'ask together';
  return `${names} ${verb} for ${inGib(askedBytes)} of memory; this host has ${inGib(availableMemoryBytes)} available of ${inGib(totalMemoryBytes)}, so it may swap, or end machines that use all of theirs (give less “memory”, or halt others)`;
}

function inGib(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
