import { randomUUID } from 'node:crypto';
import { StateError } from '../../errors.ts';
import { run } from '../../host/exec.ts';
import { type PlannedVolume, VOLUME_FORMAT } from '../../machine/volume.ts';
import type { VolumeStore } from '../../machine/volume-store.ts';
import { formatSize } from '../../machinefile/units.ts';
import type { Services } from '../services.ts';
import { formatCommand, newVolumeBytes, requireFormatTool, toWholeBlocks } from './format.ts';

/**
 * Makes a volume if it is new, and gives its disk the size that is wanted; the guest grows the file system. Call with the
 * volume's lock held, while no machine that has it runs.
 * @throws StateError if it is damaged, or larger than wanted: nothing that is on it is ever replaced.
 */
export async function ensureVolume(
  store: VolumeStore,
  { machine, volume }: { readonly machine: string; readonly volume: PlannedVolume },
  services: Services,
): Promise<void> {
  const { name, path, sizeBytes: wanted } = volume;
  const what = `${machine}: the volume ${name}`;
  const state = await store.read(name);
  if (state === undefined) return makeVolume(store, { machine, volume }, services);
  if (state.kind === 'damaged') {
    throw new StateError(`${what} is damaged: ${state.reason}`, {
      hint: `restore it from a copy; or give up what was on it: vm volume rm ${name}, and the next vm up makes a new one`,
    });
  }
  if (wanted === undefined) return;
  const wantedBytes = toWholeBlocks(wanted);
  if (state.sizeBytes > wantedBytes) {
    throw new StateError(
      `${what} has ${formatSize(state.sizeBytes)} and volumes: asks for ${formatSize(wanted)}; a volume cannot shrink`,
      { hint: 'set its size back, or give it another name, which makes a new, empty volume' },
    );
  }
  if (state.sizeBytes === wantedBytes) return;
  const args = ['resize', '-q', '-f', 'raw', path, String(wantedBytes)];
  await run({ file: 'qemu-img', args }, { signal: services.signal });
  await store.write({ ...state.record, sizeBytes: wantedBytes });
}

async function makeVolume(
  store: VolumeStore,
  { machine, volume }: { readonly machine: string; readonly volume: PlannedVolume },
  { reporter, signal }: Services,
): Promise<void> {
  const { name, label } = volume;
  const uuid = randomUUID();
  const sizeBytes = newVolumeBytes(volume);
  const record = { format: VOLUME_FORMAT, name, uuid, label, createdAt: new Date().toISOString(), sizeBytes } as const;
  await store.create(record, async (path) => {
    await run(formatCommand({ ...volume, path, uuid }, requireFormatTool()), { signal });
  });
  const text = `made the volume ${name}, ${formatSize(sizeBytes)}, which vm destroy keeps`;
  reporter.report({ type: 'message', level: 'info', subject: machine, text });
}
