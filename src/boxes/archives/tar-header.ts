/** All of an archive is in blocks of this size. */
export const BLOCK_BYTES = 512;

/** The block before each member. Format: POSIX pax, "ustar Interchange Format"; GNU tar's manual, "Basic Tar Format". */
export interface TarHeader {
  /** As written. */
  readonly name: string;
  /** One character: what kind of member this is. */
  readonly typeFlag: string;
  /** What follows in the archive, without the padding to whole blocks. */
  readonly storedBytes: number;
}

/** Reads a block; undefined if its checksum is not right, or its size is no number. */
export function parseHeader(block: Buffer): TarHeader | undefined {
  const storedBytes = parseNumber(block.subarray(124, 136));
  if (storedBytes === undefined || parseNumber(block.subarray(148, 156)) !== checksum(block)) return undefined;
  const name = textOf(block.subarray(0, 100));
  // GNU tar has other fields there, and says so by two spaces in the place of NUL and the version.
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
  const folder = isPosix ? textOf(block.subarray(345, 500)) : '';
  return {
    name: folder === '' ? name : `${folder}/${name}`,
    typeFlag: String.fromCharCode(block[156] ?? 0),
    storedBytes,
  };
}

/** The sum of all bytes, the checksum's own counted as spaces. */
function checksum(block: Buffer): number {
  return block.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0);
}

function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? field.length : end);
}

/**
 * A number as a field: octal digits between spaces or NULs, nothing for 0, or, with the first bit set, base 256 as GNU
 * tar writes what does not fit (its manual, "Extensions"). Undefined if it is none, negative, or above 2^53.
 */
export function parseNumber(field: Buffer): number | undefined {
  const first = field[0] ?? 0;
  if ((first & 0x80) !== 0) {
    const isNegative = (first & 0x40) !== 0;
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, first & 0x3f);
    return isNegative || !Number.isSafeInteger(value) ? undefined : value;
  }
  const digits = textOf(field).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(`0${digits}`, 8) : undefined;
}

/** A decimal number as extended headers and sparse maps have it; undefined if it is none, or above 2^53. */
export function parseDecimal(text: string): number | undefined {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}
