import { expect } from 'vitest';
import type { SparseChunk } from '../../../../src/boxes/archives/sparse-map.ts';
import { readTar, type TarOptions } from '../../../../src/boxes/archives/tar-reader.ts';
import { VmError } from '../../../../src/errors.ts';

const BLOCK_BYTES = 512;

/** Two blocks of zeros. */
export const END = Buffer.alloc(2 * BLOCK_BYTES);

/** The parts, and the end. */
export function archive(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...parts, END]);
}

export interface HeaderFields {
  readonly name?: string;
  readonly type?: string;
  readonly sizeBytes?: number;
  /** Written over the header, each at its offset, before the checksum is made. */
  readonly patches?: Readonly<Record<number, string | Uint8Array>>;
}

export function header({ name = 'file', type = '0', sizeBytes = 0, patches = {} }: HeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(name, 0, 100);
  numberField(sizeBytes).copy(block, 124);
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257);
  for (const [offset, bytes] of Object.entries(patches)) Buffer.from(bytes).copy(block, Number(offset));
  block.fill(' ', 148, 156);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** A number field of 12 bytes: octal, and in base 256 what does not fit. */
export function numberField(value: number): Buffer {
  if (value < 8 ** 11) return Buffer.from(`${value.toString(8).padStart(11, '0')}\0`);
  const field = Buffer.alloc(12);
  field.writeUInt8(0x80);
  field.writeBigUInt64BE(BigInt(value), 4);
  return field;
}

/** Content with what makes whole blocks of it. */
export function padded(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([bytes, Buffer.alloc((BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES)]);
}

/** A header with what follows it. */
export function member(content: string | Uint8Array, fields: HeaderFields = {}): Buffer {
  return Buffer.concat([header({ sizeBytes: Buffer.byteLength(content), ...fields }), padded(content)]);
}

/** An extended header of POSIX. */
export function pax(...records: readonly (readonly [keyword: string, value: string | number])[]): Buffer {
  return member(records.map(([keyword, value]) => paxRecord(`${keyword}=${value}`)).join(''), { type: 'x' });
}

function paxRecord(text: string): string {
  const rest = ` ${text}\n`;
  const length = Buffer.byteLength(rest);
  const withDigits = length + String(length).length;
  return length + String(withDigits).length + rest;
}

export interface ReadFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Offset and content of each piece that was delivered. */
  readonly pieces: readonly (readonly [offset: number, text: string])[];
}

/** All that is read from an archive. */
export async function filesOf(
  source: AsyncIterable<Uint8Array>,
  options: Partial<TarOptions> = {},
): Promise<ReadFile[]> {
  const files: ReadFile[] = [];
  const visit = async (entry: Omit<ReadFile, 'pieces'>, content: AsyncIterable<SparseChunk>) => {
    const pieces: [number, string][] = [];
    for await (const { offset, bytes } of content) pieces.push([offset, Buffer.from(bytes).toString()]);
    files.push({ ...entry, pieces });
  };
  await readTar(source, visit, { shownAs: 'the.box', ...options });
  return files;
}

/** The bytes as a stream, in one piece or in pieces of `pieceBytes`. */
export async function* streamOf(bytes: Uint8Array, pieceBytes = bytes.length): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes);
}

/** The message with which an archive is refused, which is of an error for users. */
export async function refusalOf(bytes: Uint8Array, options: Partial<TarOptions> = {}): Promise<string> {
  const error = await filesOf(streamOf(bytes), options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(VmError);
  return (error as VmError).message; // by the line above
}
