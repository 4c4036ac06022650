import { randomUUID } from 'node:crypto';
import { BUILD_PATH } from '../../boxes/build-mode.ts';
import { MissingToolError } from '../../errors.ts';
import { findTool, type HostCommand } from '../../host/exec.ts';
import type { PlannedVolume } from '../../machine/volume.ts';
import type { Project } from '../project.ts';

const DEFAULT_BYTES = 10 * 2 ** 30;

/** The same for all sizes: ext4 cannot change it when the volume grows. */
const BLOCK_BYTES = 4096;

export const FORMAT_TOOL = 'mkfs.ext4';

/** What every guest of the last ten years can mount, whatever this host's mke2fs.conf says. */
const FEATURES = [
  ...['none', 'has_journal', 'ext_attr', 'resize_inode', 'dir_index', 'filetype', 'extent', '64bit', 'flex_bg'],
  ...['sparse_super', 'large_file', 'huge_file', 'dir_nlink', 'extra_isize', 'metadata_csum'],
];

/** The program that makes file systems, also where it is not on the user's PATH. */
export function findFormatTool(): string | undefined {
  return findTool(FORMAT_TOOL, `${process.env.PATH ?? ''}:${BUILD_PATH}`);
}

/** @throws MissingToolError where it is not installed. */
export function requireFormatTool(): string {
  const tool = findFormatTool();
  if (tool === undefined) throw new MissingToolError(FORMAT_TOOL, { hint: 'apt install e2fsprogs' });
  return tool;
}

/**
 * What makes a volume: the file, as large as wanted, and its file system. Nothing of that is left for the guest to write
 * later, and the file takes next to nothing: what is not written is a hole, and so zero.
 */
export function formatCommand(
  volume: Pick<PlannedVolume, 'label' | 'path' | 'sizeBytes'> & { readonly uuid: string },
  tool: string,
): HostCommand {
  const { label, path, uuid } = volume;
  const identity = ['-L', label, '-U', uuid];
  const shape = ['-b', String(BLOCK_BYTES), '-I', '256', '-m', '0', '-O', FEATURES.join(',')];
  const lazily = ['-E', 'lazy_itable_init=1,lazy_journal_init=1'];
  return { file: tool, args: ['-q', ...identity, ...shape, ...lazily, path, `${newVolumeBytes(volume) / 1024}k`] };
}

/** How large a new volume becomes. */
export function newVolumeBytes({ sizeBytes = DEFAULT_BYTES }: Pick<PlannedVolume, 'sizeBytes'>): number {
  return toWholeBlocks(sizeBytes);
}

export function toWholeBlocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** The commands that would make those that do not exist, for `up --dry-run`; their UUIDs are examples. */
export async function describeVolumes(
  { states }: Project,
  volumes: readonly PlannedVolume[],
): Promise<readonly HostCommand[]> {
  const existing = await states.volumes.list();
  const isNew = ({ name }: PlannedVolume) => !existing.includes(name);
  const tool = findFormatTool() ?? FORMAT_TOOL;
  return volumes.filter(isNew).map((volume) => formatCommand({ ...volume, uuid: randomUUID() }, tool));
}
