import type { Arch } from '../machinefile/spec.ts';

/**
 * How a box takes the machine's identity before its SSH server starts:
 * `machinefile`: a boot unit of our own boxes reads a tar from QEMU's fw_cfg;
 * `cloud-init`: NoCloud, a labelled disk;
 * `vagrant`: not at all: it is entered once with a key that everybody knows, or that came with the box, and given its
 * identity then.
 */
export type SeedKind = 'machinefile' | 'cloud-init' | 'vagrant';

/** A box on disk, ready to be started from. Everything in it is immutable. */
export interface Box {
  /** Content address: hex sha256 of what the box was made of (recipe inputs, or the imported image). */
  readonly key: string;
  /** What a lockfile pins, lower-case hex: the sha256 of the imported file, or of everything it was built from. */
  readonly digest: string;
  /** For people: "built from the recipe tiny", "downloaded from https://…". */
  readonly source: string;
  /** `debian/12`; for an imported image its file name. */
  readonly name: string;
  readonly version: string;
  /** Found by its name: it was built or added under it, or looked up by it; not merely called so by a catalog. */
  readonly isNamed: boolean;
  readonly arch: Arch;
  readonly seed: SeedKind;
  /** The login user the seed sets up. */
  readonly user: string;
  /** qcow2; its backing file, if any, is the disk of the box with `parentKey`. */
  readonly diskPath: string;
  /** The box in the store that its disk stands on: it holds only what differs. */
  readonly parentKey: string | undefined;
  readonly virtualSizeBytes: number;
  /** Those after the root disk, in the order of the guest's devices. */
  readonly extraDisks: readonly ExtraDisk[];
  /** Lets in once, where everybody's keys do not: came with a Vagrant box. */
  readonly entryKeyPath: string | undefined;
  /** For direct kernel boot; absent: the firmware boots the disk. */
  readonly kernel: BoxKernel | undefined;
}

/** Like the root disk, but for that nothing is booted from it. */
export interface ExtraDisk {
  readonly path: string;
  readonly virtualSizeBytes: number;
}

export interface BoxKernel {
  /** A bzImage, for every firmware. */
  readonly kernelPath: string;
  /**
   * The same kernel as an ELF file. QEMU starts it through PVH: only with SeaBIOS, and in an emulated guest some 5 s
   * sooner, because there is nothing to unpack.
   */
  readonly uncompressedKernelPath: string;
  readonly initrdPath: string;
  readonly commandLine: string;
}

/** What `vm box list` and `vm box info` show. */
export interface BoxListing {
  readonly box: Box;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Bytes the box takes on disk. */
  readonly sizeBytes: number;
}
