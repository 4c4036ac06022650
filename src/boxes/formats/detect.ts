/** The formats that can become a box, by QEMU's names. */
export type ImageFormat = 'qcow2' | 'raw' | 'vmdk' | 'vdi' | 'vpc' | 'vhdx';

/** Formats that are recognized to be refused by name: QEMU's names, and installation images. */
export type RefusedFormat = 'iso' | 'qcow' | 'qed' | 'parallels' | 'dmg';

/** How much of a file `detectImageFormat` looks at: up to the superblock of btrfs. */
export const BEGINNING_BYTES = 65_608;

interface Magic {
  readonly format: ImageFormat | RefusedFormat;
  readonly at: number;
  /** One character a byte. */
  readonly bytes: string;
}

/** Of the `probe` functions in QEMU's block/*.c; where one is the beginning of another, the longer is first. */
const AT_BEGINNING: readonly Magic[] = [
  { format: 'qcow', at: 0, bytes: 'QFI\xfb\0\0\0\x01' },
  { format: 'qcow2', at: 0, bytes: 'QFI\xfb' },
  { format: 'vmdk', at: 0, bytes: 'KDMV' },
  { format: 'vmdk', at: 0, bytes: 'COWD' },
  { format: 'vmdk', at: 0, bytes: '# Disk DescriptorFile' },
  { format: 'vdi', at: 0x40, bytes: '\x7f\x10\xda\xbe' },
  { format: 'vhdx', at: 0, bytes: 'vhdxfile' },
  { format: 'vpc', at: 0, bytes: 'conectix' },
  { format: 'qed', at: 0, bytes: 'QED\0' },
  { format: 'parallels', at: 0, bytes: 'WithoutFreeSpace' },
  { format: 'parallels', at: 0, bytes: 'WithouFreSpacExt' },
  // Before the boot signature: images for USB sticks have both.
  { format: 'iso', at: 32_769, bytes: 'CD001' },
];

const AT_END: readonly Magic[] = [
  { format: 'vpc', at: 0, bytes: 'conectix' },
  { format: 'dmg', at: 0, bytes: 'koly' },
];

/** A boot sector, or the superblock of a disk without partitions (ext2 to ext4, XFS, btrfs). */
const RAW: readonly Magic[] = [
  { format: 'raw', at: 510, bytes: '\x55\xaa' },
  { format: 'raw', at: 1080, bytes: '\x53\xef' },
  { format: 'raw', at: 0, bytes: 'XFSB' },
  { format: 'raw', at: 65_600, bytes: '_BHRfS_M' },
];

/**
 * The format of a file; undefined for what is no disk image.
 * @param beginning the first `BEGINNING_BYTES`.
 * @param end the last sector.
 */
export function detectImageFormat(beginning: Buffer, end: Buffer): ImageFormat | RefusedFormat | undefined {
  const isIn = (bytes: Buffer) => (magic: Magic) =>
    bytes.toString('latin1', magic.at, magic.at + magic.bytes.length) === magic.bytes;
  const found = AT_BEGINNING.find(isIn(beginning)) ?? AT_END.find(isIn(end)) ?? RAW.find(isIn(beginning));
  return found?.format;
}
