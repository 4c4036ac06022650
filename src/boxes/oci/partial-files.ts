import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { VmError } from '../../errors.ts';
import { asWriteError, sha256 } from '../../host/files.ts';
import { Digests } from '../../http/digests.ts';
import type { Chunk } from './artifact.ts';
import type { BoxFileFacts, BoxFileName } from './box-config.ts';

interface PartialFile extends BoxFileFacts {
  readonly path: string;
  readonly handle: FileHandle;
  /** Something was there already, from a pull that was interrupted. */
  readonly isResumed: boolean;
}

/** The files of a box while their chunks come, in any order. */
export class PartialFiles implements AsyncDisposable {
  readonly #files: ReadonlyMap<BoxFileName, PartialFile>;

  private constructor(files: ReadonlyMap<BoxFileName, PartialFile>) {
    this.#files = files;
  }

  /** Makes the files, of their whole size and without content; what is in such files stays. @throws VmError */
  static async open(dir: string, files: readonly BoxFileFacts[]): Promise<PartialFiles> {
    const opened = new Map<BoxFileName, PartialFile>();
    const partial = new PartialFiles(opened);
    for (const facts of files) {
      const path = join(dir, facts.name);
      try {
        const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
        opened.set(facts.name, { ...facts, path, handle, isResumed: (await handle.stat()).size > 0 });
        await handle.truncate(facts.bytes);
      } catch (error) {
        await partial[Symbol.asyncDispose]();
        throw asWriteError(path, error);
      }
    }
    return partial;
  }

  /** Whether a chunk came before the pull was interrupted. */
  async has({ file, offset, length, sha256: wanted }: Chunk): Promise<boolean> {
    const { handle, isResumed } = this.#get(file);
    if (!isResumed) return false;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
    return bytesRead === length && sha256(buffer) === wanted;
  }

  /** @throws VmError if the disk is full. */
  async write({ file, offset }: Chunk, bytes: Uint8Array): Promise<void> {
    const { handle, path } = this.#get(file);
    for (let done = 0; done < bytes.length; ) {
      // A disk that is nearly full takes a part first and refuses the next.
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done).catch((error) => {
        throw asWriteError(path, error);
      });
      done += bytesWritten;
    }
  }

  /**
   * Reads all files. One that is wrong is removed: nothing of it may be taken up by the next pull.
   * @throws VmError if one is not what its description says; InterruptedError.
   */
  async verify(shownAs: string, signal: AbortSignal): Promise<void> {
    for (const { name, path, sha256: wanted } of this.#files.values()) {
      const digests = await Digests.ofFile(path, ['sha256'], signal);
      if (digests.hex('sha256') === wanted) continue;
      await rm(path);
      throw new VmError(`${name} of ${shownAs} is damaged: it is not what its description says`, {
        hint: 'push the box again',
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { handle } of this.#files.values()) await handle.close();
  }

  #get(name: BoxFileName): PartialFile {
    const file = this.#files.get(name);
    if (file === undefined) throw new Error(`there is no file ${name}`);
    return file;
  }
}
