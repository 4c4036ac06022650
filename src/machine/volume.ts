import { sha256 } from '../host/files.ts';
import type { VolumeMountSpec } from '../machinefile/spec.ts';
import type { MachineRecord } from './record.ts';

/** The number of the stored format; a change of the shape below raises it and reads the old one. */
export const VOLUME_FORMAT = 1;

/** The facts of a volume that cannot be derived again. */
export interface VolumeRecord {
  readonly format: typeof VOLUME_FORMAT;
  readonly name: string;
  /** Of its file system, as it was made. */
  readonly uuid: string;
  /** Of its file system, by which guests find it. */
  readonly label: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The disk has at least so many: one that has fewer was cut off. */
  readonly sizeBytes: number;
}

/** A volume as one of its machines has it. */
export interface PlannedVolume extends VolumeMountSpec {
  readonly label: string;
  /** Of its disk. */
  readonly path: string;
  /** Absent: as large as it is, or of the default size when it is made. */
  readonly sizeBytes: number | undefined;
}

const LABEL_MAX_BYTES = 16;
const PREFIX = 'vm-';
const HASH_LENGTH = 7;

/**
 * The label of a volume's file system. With a prefix, because boxes have file systems of their own, called `root` or
 * `boot`; a name that is too long is cut, and told from others by a hash of all of it, behind a dot, which no name has.
 */
export function volumeLabel(name: string): string {
  const whole = `${PREFIX}${name}`;
  if (whole.length <= LABEL_MAX_BYTES) return whole;
  return `${whole.slice(0, LABEL_MAX_BYTES - HASH_LENGTH - 1)}.${sha256(name).slice(0, HASH_LENGTH)}`;
}

/** The volumes of a machine as they are recorded when it is started, in the setting `volumes`. */
export function volumeSetting(volumes: readonly PlannedVolume[]): string {
  return JSON.stringify(volumes.map(({ name, guestPath, sizeBytes }) => ({ name, guestPath, sizeBytes })));
}

/** The volumes that a machine was last started with. */
export function startedVolumes({ started }: Pick<MachineRecord, 'started'>): VolumeMountSpec[] {
  const setting = started?.settings.volumes;
  return setting === undefined ? [] : (JSON.parse(setting) as VolumeMountSpec[]); // written by `volumeSetting`
}
