import type { ByteReader } from './byte-reader.ts';
import { printableName } from './member-name.ts';
import { type PaxAttributes, parsePax } from './pax.ts';
import { findMapProblem, readLeadingMap, readOldGnuMap, type SparseLayout } from './sparse-map.ts';
import { BLOCK_BYTES, parseHeader, type TarHeader } from './tar-header.ts';

export interface TarMember {
  /** As written. */
  readonly name: string;
  readonly kind: MemberKind;
  /** Where the data, which comes next, belongs. */
  readonly layout: SparseLayout;
  /** Where the next member begins in the archive, in bytes. */
  readonly endsAtBytes: number;
}

/** What is not a file or a folder is worded as the end of a sentence about the member. */
export type MemberKind = 'file' | 'folder' | `is ${string}`;

const FOLDER = '5';
const OLD_GNU_SPARSE = 'S';

/** By type flag. Archives before POSIX have NUL; `7` means contiguous, where that is known, and a file otherwise. */
const KINDS: Readonly<Record<string, MemberKind>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  [OLD_GNU_SPARSE]: 'file',
  '1': 'is a hard link',
  '2': 'is a symbolic link',
  '3': 'is a device',
  '4': 'is a device',
  [FOLDER]: 'folder',
  '6': 'is a named pipe',
};

const MAX_EXTENSION_BYTES = 2 ** 20;

/**
 * Reads up to the data of the next member; undefined at the end of the archive.
 * @throws VmError if the archive is damaged there, or truncated.
 */
export async function readMember(reader: ByteReader): Promise<TarMember | undefined> {
  let longName: string | undefined;
  let pax: PaxAttributes | undefined;
  for (;;) {
    const block = await reader.read(BLOCK_BYTES);
    if (isZero(block)) return checkEnd(reader);
    const header = parseHeader(block);
    if (header === undefined) {
      throw reader.damaged(`there is no header of a tar archive at byte ${reader.positionBytes - BLOCK_BYTES}`);
    }
    switch (header.typeFlag) {
      case 'x':
        pax = parsePax(await readExtension(header, reader));
        if (pax === undefined) throw reader.damaged('an extended header is malformed');
        break;
      case 'L':
        longName = withoutEnd(await readExtension(header, reader));
        break;
      case 'g': // says nothing of single members
      case 'K': // the target of a link, which is refused
        await readExtension(header, reader);
        break;
      default:
        return toMember({ name: pax?.name ?? longName ?? header.name, header, block, pax }, reader);
    }
  }
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

/** Two zero blocks end an archive; that the file ends after the first is common enough. */
async function checkEnd(reader: ByteReader): Promise<undefined> {
  const isEnd = (await reader.isAtEnd()) || isZero(await reader.read(BLOCK_BYTES));
  if (!isEnd) throw reader.damaged('it goes on after its end');
}

async function readExtension({ storedBytes }: TarHeader, reader: ByteReader): Promise<Buffer> {
  if (storedBytes > MAX_EXTENSION_BYTES) throw reader.damaged('a name or an extended header has more than 1 MiB');
  const endsAtBytes = reader.positionBytes + wholeBlocks(storedBytes);
  const content = await reader.read(storedBytes);
  await reader.skipTo(endsAtBytes);
  return content;
}

/** GNU tar ends a name with NUL. */
function withoutEnd(name: Buffer): string {
  return name.toString('utf8', 0, name.at(-1) === 0 ? name.length - 1 : name.length);
}

function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** All that was said of a member. */
interface MemberHeaders {
  readonly name: string;
  readonly header: TarHeader;
  readonly block: Buffer;
  readonly pax: PaxAttributes | undefined;
}

async function toMember(headers: MemberHeaders, reader: ByteReader): Promise<TarMember> {
  const { name, header } = headers;
  const layout = await readLayout(headers, reader);
  const problem = layout === undefined ? 'is malformed' : findMapProblem(layout);
  if (layout === undefined || problem !== undefined) {
    throw reader.damaged(`the sparse map of ${printableName(name)} ${problem}`);
  }
  const kind = KINDS[header.typeFlag] ?? `is of type “${printableName(header.typeFlag)}”, which vm does not know`;
  return {
    name,
    // The first archives have no type for folders.
    kind: kind === 'file' && name.endsWith('/') ? 'folder' : kind,
    layout,
    endsAtBytes: reader.positionBytes + wholeBlocks(layout.dataBytes),
  };
}

/** Undefined if there is a map and it is malformed. */
async function readLayout(
  { header, block, pax }: MemberHeaders,
  reader: ByteReader,
): Promise<SparseLayout | undefined> {
  if (header.typeFlag === FOLDER) return wholeFile(0); // its size, where it has one, is a quota
  const dataBytes = pax?.storedBytes ?? header.storedBytes;
  if (header.typeFlag === OLD_GNU_SPARSE) {
    const map = await readOldGnuMap(block, reader);
    return map && { ...map, dataBytes };
  }
  if (pax?.sparse === undefined) return wholeFile(dataBytes);
  const { sizeBytes } = pax.sparse;
  if (pax.sparse.extents !== undefined) return { sizeBytes, extents: pax.sparse.extents, dataBytes };
  const startsAtBytes = reader.positionBytes;
  const extents = await readLeadingMap(reader);
  return extents && { sizeBytes, extents, dataBytes: dataBytes - (reader.positionBytes - startsAtBytes) };
}

function wholeFile(sizeBytes: number): SparseLayout {
  return { sizeBytes, extents: [{ offset: 0, length: sizeBytes }], dataBytes: sizeBytes };
}
