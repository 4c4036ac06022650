/** A file at the top of an archive. */
export interface TarMember {
  /** ASCII, at most 99 characters. */
  readonly name: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
}

const BLOCK_BYTES = 512;

/**
 * An uncompressed ustar archive (POSIX pax, "ustar Interchange Format"). The same members give the same bytes: all
 * belong to root and are as old as the epoch. Written here because flat archives of small files need no library.
 */
export function tarArchive(members: readonly TarMember[]): Uint8Array {
  const blocks = members.flatMap((member) => {
    const content = Buffer.from(member.content);
    return [header(member, content.length), content, Buffer.alloc(padding(content.length))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function padding(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

function header({ name, mode }: TarMember, sizeBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const put = (text: string, offset: number) => block.write(text, offset, 'latin1');
  put(name, 0);
  put(octal(mode, 8), 100);
  put(octal(0, 8), 108); // uid
  put(octal(0, 8), 116); // gid
  put(octal(sizeBytes, 12), 124);
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

/** A number as a field: octal digits, then NUL. */
function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}
