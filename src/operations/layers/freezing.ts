import { readDiskSize } from '../../boxes/formats/disk-size.ts';
import type { LayerFacts, PendingLayer } from '../../layers/layer.ts';
import type { FreezableDisk } from '../../machine/frozen-disk.ts';
import type { MachineLayout } from '../../machine/layout.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';

/** The disks of a machine, root first, and where they go when they are frozen. Volumes are not its own. */
export function freezableDisks(
  record: MachineRecord,
  layout: MachineLayout,
  target: Pick<PendingLayer, 'diskPath'>,
): FreezableDisk[] {
  const extraCount = record.box?.extraDiskCount ?? 0;
  const disks = [
    { id: 'root', path: layout.diskPath },
    ...Array.from({ length: extraCount }, (_, i) => ({ id: `extra-${i + 1}`, path: layout.extraDiskPath(i + 1) })),
    ...(record.disks ?? []).map((disk) => ({ id: `own-${disk.name}`, path: layout.ownDiskPath(disk) })),
  ];
  return disks.map((disk) => ({
    ...disk,
    frozenPath: target.diskPath(disk.id),
    mayBeDetached: disk.id.startsWith('own-'),
  }));
}

/** What a layer says of its disks, once they are frozen. */
export function describeFrozen(disks: readonly FreezableDisk[]): Promise<LayerFacts['disks']> {
  return Promise.all(
    disks.map(async ({ id, frozenPath }) => ({ id, virtualSizeBytes: await readDiskSize(frozenPath) })),
  );
}

/**
 * Ends the freeze of a command that was killed: the machine stands on what was frozen, or on what it stood on before.
 * Nobody else is offered that layer. Call with the machine's lock held.
 */
export async function settleFreezing(project: Project, name: string, services: Services): Promise<void> {
  const { states } = project;
  const record = await states.readIfWhole(name);
  if (record?.freezing === undefined) return;
  const { freezing, ...settled } = record;
  const layout = states.layout(name);
  const target = services.layers.pending(freezing.layerId);
  const provider = services.providers[record.provider];
  const outcome = await provider.settleFreeze({ record, layout }, freezableDisks(record, layout, target));
  await states.write(outcome === 'frozen' ? { ...settled, unfinishedLayer: target.id } : settled);
  if (outcome === 'untouched') await services.layers.discard(target);
}

/** Removes what a machine that is destroyed stood on and was never made a layer of: nobody else can. */
export async function discardUnfinished(
  { unfinishedLayer, freezing }: MachineRecord,
  { layers }: Services,
): Promise<void> {
  for (const id of [freezing?.layerId, unfinishedLayer]) {
    if (id !== undefined && (await layers.isPending(id))) await layers.discard(layers.pending(id));
  }
}
