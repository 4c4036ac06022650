import { existsSync } from 'node:fs';
import type { MachinePlan } from '../../machine/plan.ts';
import type { DiskRecord } from '../../machine/record.ts';
import type { Services } from '../services.ts';

/** The machine's own disks as they are recorded once all of the plan are there. */
export function ownDiskRecords(plan: MachinePlan): DiskRecord[] {
  return [...plan.spec.disks.map(({ name, format }) => ({ name, format })), ...detachedDisks(plan)];
}

/** Disks that were taken out of the Machinefile. What was removed by hand since then is forgotten. */
function detachedDisks({ spec, madeDisks, layout }: MachinePlan): DiskRecord[] {
  const isAttached = ({ name }: DiskRecord) => spec.disks.some((disk) => disk.name === name);
  return madeDisks.filter((disk) => !isAttached(disk) && existsSync(layout.ownDiskPath(disk)));
}

/** Data is not lost silently, nor kept so. */
export function reportDetached(plan: MachinePlan, { reporter }: Services): void {
  for (const disk of detachedDisks(plan)) {
    reporter.report({
      type: 'message',
      level: 'warning',
      subject: plan.spec.name,
      text: `the disk ${disk.name} is not in “disks” any more, so it is not attached; what is on it stays in ${plan.layout.ownDiskPath(disk)} until vm destroy`,
    });
  }
}
