import { VmError } from '../../errors.ts';
import { formatSize } from '../../machinefile/units.ts';
import { ByteReader } from './byte-reader.ts';
import { findNameProblem, normaliseName, printableName } from './member-name.ts';
import type { Extent, SparseChunk } from './sparse-map.ts';
import { readMember, type TarMember } from './tar-member.ts';

/** A regular file in an archive. */
export interface TarEntry {
  /** Relative, without `.` and `..`: `./x` is `x`. */
  readonly name: string;
  /** Of the whole file, its holes included. */
  readonly sizeBytes: number;
}

/**
 * Called for each file, in the order of the archive. What it does not read of the content is skipped; what it throws ends
 * the reading. The content can be read once, and only before the promise resolves. Holes are not delivered.
 */
export type TarVisitor = (entry: TarEntry, content: AsyncIterable<SparseChunk>) => Promise<void>;

export interface TarOptions {
  /** What the archive is called in errors. */
  readonly shownAs: string;
  readonly limits?: Partial<TarLimits>;
}

export interface TarLimits {
  /** Files and folders. */
  readonly maxMembers: number;
  /** All files together, their holes included. */
  readonly maxBytes: number;
}

const DEFAULT_LIMITS: TarLimits = { maxMembers: 1000, maxBytes: 16 * 2 ** 40 };

/**
 * Reads an archive that nobody vouches for, to its end: POSIX ustar and pax, GNU tar's long names and all its formats of
 * sparse files. `source` is closed in any case.
 * @throws VmError if it is damaged or truncated, or a member is neither file nor folder, is there twice, would be written
 * outside of the folder it is unpacked into, or exceeds a limit; and what `source` and `visit` throw.
 */
export async function readTar(
  source: AsyncIterable<Uint8Array>,
  visit: TarVisitor,
  { shownAs, limits }: TarOptions,
): Promise<void> {
  const reader = new ByteReader(source, shownAs);
  const admission = new Admission(shownAs, { ...DEFAULT_LIMITS, ...limits });
  try {
    for (let member = await readMember(reader); member !== undefined; member = await readMember(reader)) {
      const entry = admission.admit(member);
      if (entry !== undefined) await visit(entry, readContent(member.layout.extents, reader));
      await reader.skipTo(member.endsAtBytes);
    }
    await reader.skipToEnd();
  } finally {
    await reader.close();
  }
}

async function* readContent(extents: readonly Extent[], reader: ByteReader): AsyncGenerator<SparseChunk> {
  for (const { offset, length } of extents) {
    for (let done = 0; done < length; ) {
      const bytes = await reader.readSome(length - done);
      yield { offset: offset + done, bytes };
      done += bytes.length;
    }
  }
}

/** Decides which members of one archive are unpacked. */
class Admission {
  readonly #shownAs: string;
  readonly #limits: TarLimits;
  readonly #names = new Set<string>();
  #members = 0;
  #bytes = 0;

  constructor(shownAs: string, limits: TarLimits) {
    this.#shownAs = shownAs;
    this.#limits = limits;
  }

  /**
   * The entry of a file, undefined for a folder.
   * @throws VmError for what may not be in an archive.
   */
  admit({ name: writtenName, kind, layout }: TarMember): TarEntry | undefined {
    const refuse = (problem: string) => this.#refuse(`the member ${printableName(writtenName)} ${problem}`);
    this.#members++;
    if (this.#members > this.#limits.maxMembers) this.#refuse(`it has more than ${this.#limits.maxMembers} members`);
    const problem = findNameProblem(writtenName);
    if (problem !== undefined) refuse(problem);
    if (kind === 'folder') return undefined;
    if (kind !== 'file') refuse(kind);
    const name = normaliseName(writtenName);
    if (name === '') refuse('has no name');
    if (this.#names.has(name)) refuse('is there twice');
    this.#names.add(name);
    this.#bytes += layout.sizeBytes;
    if (this.#bytes > this.#limits.maxBytes) refuse(`takes it over ${formatSize(this.#limits.maxBytes)}`);
    return { name, sizeBytes: layout.sizeBytes };
  }

  #refuse(problem: string): never {
    throw new VmError(`${this.#shownAs}: ${problem}`, {
      hint: 'vm unpacks no such archive: get one you trust and, if it is fine, make it again with plain files only',
    });
  }
}
