import { BLOCK_BYTES } from './tar-header.ts';

/** A small file at the top of an archive. */
export interface TarMember {
  /** ASCII, at most 99 characters. */
  readonly name: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
}

/** A file of any size. */
export interface StreamedMember {
  /** ASCII, at most 99 characters. */
  readonly name: string;
  readonly mode: number;
  readonly sizeBytes: number;
  /** Exactly so many bytes. */
  readonly content: AsyncIterable<Uint8Array>;
}

const END = Buffer.alloc(2 * BLOCK_BYTES);

/**
 * An uncompressed ustar archive (POSIX pax, "ustar Interchange Format"). The same members give the same bytes: all
 * belong to root and are as old as the epoch. Written here because flat archives of files need no library.
 */
export function tarArchive(members: readonly TarMember[]): Uint8Array {
  const blocks = members.flatMap(({ content: given, ...member }) => {
    const content = Buffer.from(given);
    return [header({ ...member, sizeBytes: content.length }), content, padding(content.length)];
  });
  return Buffer.concat([...blocks, END]);
}

/** The same archive, piece by piece. */
export async function* tarStream(members: readonly (TarMember | StreamedMember)[]): AsyncGenerator<Uint8Array> {
  for (const member of members) {
    if (!('sizeBytes' in member)) {
      yield tarArchive([member]).subarray(0, -END.length);
      continue;
    }
    yield header(member);
    yield* member.content;
    yield padding(member.sizeBytes);
  }
  yield END;
}

function padding(bytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

function header({ name, mode, sizeBytes }: Omit<StreamedMember, 'content'>): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const put = (text: string, offset: number) => block.write(text, offset, 'latin1');
  put(name, 0);
  put(octal(mode, 8), 100);
  put(octal(0, 8), 108); // uid
  put(octal(0, 8), 116); // gid
  putSize(block, sizeBytes);
  put(octal(0, 12), 136); // modification time
  put('0', 156); // a regular file
  put('ustar\x0000', 257);
  put('root', 265);
  put('root', 297);
  put(' '.repeat(8), 148); // the checksum counts itself as spaces
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  put(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

const SIZE_FIELD = { offset: 124, width: 12 };

/** Eleven octal digits end at 8 GiB; beyond, base 256 as GNU tar writes it (its manual, "Extensions"). */
function putSize(block: Buffer, sizeBytes: number): void {
  const { offset, width } = SIZE_FIELD;
  if (sizeBytes < 8 ** (width - 1)) {
    block.write(octal(sizeBytes, width), offset, 'latin1');
    return;
  }
  block[offset] = 0x80;
  block.writeBigUInt64BE(BigInt(sizeBytes), offset + width - 8);
}

/** A number as a field: octal digits, then NUL. */
function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}
