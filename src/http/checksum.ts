export type ChecksumAlgorithm = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Lower case. */
  readonly hex: string;
}

/** The address of a list of checksums, such as SHA256SUMS. */
export interface ChecksumList {
  readonly listedAt: string;
}

/** A checksum, or where it is to be found. */
export type WantedChecksum = Checksum | ChecksumList;

/** The strongest last. */
const HEX_LENGTHS: Readonly<Record<ChecksumAlgorithm, number>> = {
  md5: 32,
  sha1: 40,
  sha256: 64,
  sha384: 96,
  sha512: 128,
};

const ALGORITHMS = Object.keys(HEX_LENGTHS) as readonly ChecksumAlgorithm[]; // keys of the record above

/** Reads `sha256:HEX` (or another algorithm), or bare hex of SHA-256 or SHA-512; undefined if it is no checksum. */
export function parseChecksum(text: string): Checksum | undefined {
  const [, name, hex = ''] = /^(?:([a-z0-9]+):)?([0-9a-f]+)$/i.exec(text.trim()) ?? [];
  if (name !== undefined) return checksum(name, hex);
  return hex.length === HEX_LENGTHS.sha256 || hex.length === HEX_LENGTHS.sha512 ? checksumByLength(hex) : undefined;
}

/** Reads what `parseChecksum` does, or the URL of a list. */
export function parseWantedChecksum(text: string): WantedChecksum | undefined {
  return /^https?:\/\/./.test(text) ? { listedAt: text } : parseChecksum(text);
}

/** The text that `parseWantedChecksum` reads. */
export function formatWantedChecksum(wanted: WantedChecksum): string {
  return 'listedAt' in wanted ? wanted.listedAt : `${wanted.algorithm}:${wanted.hex}`;
}

/**
 * What a file of checksums (SHA256SUMS, CHECKSUM, NAME.sha512) says of one file; the strongest where it says several.
 * Lines as coreutils write them (`HEX  NAME`, `HEX *NAME`, and with --tag `SHA256 (NAME) = HEX`) count, everything
 * else, like an OpenPGP signature around them, does not. A text that is one digest and nothing else speaks of any file:
 * Alpine Linux publishes such ones.
 */
export function findInChecksumFile(text: string, fileName: string): Checksum | undefined {
  if (/^[0-9a-fA-F]+$/.test(text.trim())) return checksumByLength(text.trim());
  const found = text.split(/\r?\n/).flatMap((line) => {
    const [name, entry] = parseLine(line) ?? [];
    return entry !== undefined && (name === fileName || name === `./${fileName}`) ? [entry] : [];
  });
  return found.sort((a, b) => HEX_LENGTHS[b.algorithm] - HEX_LENGTHS[a.algorithm])[0];
}

function parseLine(line: string): readonly [name: string, Checksum | undefined] | undefined {
  const [, algorithm, taggedName, taggedHex] = /^([A-Za-z0-9-]+) ?\((.+)\) ?= ?([0-9a-fA-F]+)\s*$/.exec(line) ?? [];
  if (algorithm && taggedName && taggedHex) return [taggedName, checksum(algorithm.replace('-', ''), taggedHex)];
  const [, hex, name] = /^([0-9a-fA-F]+) [ *]?(.+?)\s*$/.exec(line) ?? [];
  return hex && name ? [name, checksumByLength(hex)] : undefined;
}

function checksum(name: string, hex: string): Checksum | undefined {
  const algorithm = ALGORITHMS.find((candidate) => candidate === name.toLowerCase());
  if (algorithm === undefined || hex.length !== HEX_LENGTHS[algorithm]) return undefined;
  return { algorithm, hex: hex.toLowerCase() };
}

function checksumByLength(hex: string): Checksum | undefined {
  const algorithm = ALGORITHMS.find((candidate) => HEX_LENGTHS[candidate] === hex.length);
  return algorithm && { algorithm, hex: hex.toLowerCase() };
}
