import type { MachineTemplate } from '../machine/template.ts';

/** A disk of a layer: qcow2, frozen. */
export interface LayerDisk {
  /** As in `PlannedDisk`: `root`, `extra-1`, `own-NAME`. */
  readonly id: string;
  readonly path: string;
  readonly virtualSizeBytes: number;
}

export interface LayerTemplate extends MachineTemplate {
  /** Of RAM. */
  readonly ramBytes: number;
}

/**
 * The state of a machine's disks after its first boot or after a provisioning step, from which machines are made.
 * Everything in it is immutable, and nothing in it belongs to one machine.
 */
export interface Layer {
  /** The name of its folder. Several layers may have one key. */
  readonly id: string;
  /** Hex sha256 of all that it was made of. */
  readonly key: string;
  /** Of the state that its step began from; undefined for the one after the first boot. */
  readonly parentKey: string | undefined;
  /** The layer whose disks its own stand on; undefined: those of the box. */
  readonly baseId: string | undefined;
  /** The layer of which it has the content, on the box itself; absent: it is no flattened one. */
  readonly flatOf?: string | undefined;
  readonly boxKey: string;
  /** The step it is the state after; undefined: the first boot. */
  readonly step: string | undefined;
  readonly stepFingerprint: string | undefined;
  /** The root disk first. */
  readonly disks: readonly LayerDisk[];
  /** The memory of a machine with these disks, with which others begin; absent: they boot. */
  readonly template?: LayerTemplate;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly madeBy: { readonly project: string; readonly machine: string };
  /**
   * The state of a machine that somebody uses: only that one and its clones stand on it, and it goes with the last of them.
   * Absent: it is a layer for all.
   */
  readonly isPrivate?: true;
}

/** The same for a layer and for what it was flattened to. */
export function contentIdOf({ id, flatOf }: Layer): string {
  return flatOf ?? id;
}

/** What is known of a layer beside its files when it is published. */
export interface LayerFacts extends Omit<Layer, 'id' | 'disks' | 'template'> {
  /** The root disk first. */
  readonly disks: readonly Pick<LayerDisk, 'id' | 'virtualSizeBytes'>[];
  /** Whether the files of a template are in its folder. */
  readonly hasTemplate?: boolean;
  /** What the step printed. */
  readonly output?: string;
}

/** A folder for the disks of a layer that is none yet: nobody is offered it, but a machine may stand on it. */
export interface PendingLayer {
  readonly id: string;
  readonly dir: string;
  /** Where that is to be, where the layer has one. */
  readonly template: MachineTemplate;
  /** Where the frozen disk of this id is to be. */
  diskPath(diskId: string): string;
}

/** What lists show of a layer. */
export interface LayerListing {
  readonly layer: Layer;
  /** Bytes it takes on disk, without what it stands on. */
  readonly sizeBytes: number;
  /** ISO 8601. */
  readonly lastUsedAt: string;
  /** Why no machine can be made of it, as far as that is known without reading its disks. */
  readonly problem: string | undefined;
}

/** What lists show of a folder that is no layer yet, or will never be one. */
export interface PendingListing {
  readonly id: string;
  readonly sizeBytes: number;
  /** Whether the process still runs that began it. */
  readonly isMakerAlive: boolean;
}
