import type { RunContext } from '../context.ts';
import type { SyncSpec } from '../machinefile/spec.ts';
import { rsyncFolder } from './rsync.ts';
import type { SyncedFolder, SyncOutcome, SyncTarget } from './synced-folder.ts';

const SYNCED_FOLDERS = {
  rsync: rsyncFolder,
} satisfies { readonly [Type in SyncSpec['type']]: SyncedFolder<Extract<SyncSpec, { type: Type }>> };

/** See `SyncedFolder.sync`. */
export function syncFolder(spec: SyncSpec, target: SyncTarget, context: RunContext): Promise<SyncOutcome> {
  return SYNCED_FOLDERS[spec.type].sync(spec, target, context);
}
