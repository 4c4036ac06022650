import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePrivateFolder, sha256, unlessMissing, writeFileAtomic } from '../../host/files.ts';

interface Remembered {
  /** What the subject looked like then. */
  readonly identity: string;
  readonly key: string;
}

/** Which files and addresses were imported as which boxes, so that they are not read or fetched again each time. */
export class ImportMemory {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The key of the box that was made of `subject` when it had this identity. */
  async recall(subject: string, identity: string): Promise<string | undefined> {
    const text = await unlessMissing(readFile(this.#path(subject), 'utf8'));
    if (text === undefined) return undefined;
    const remembered = JSON.parse(text) as Remembered; // written whole by `remember`
    return remembered.identity === identity ? remembered.key : undefined;
  }

  async remember(subject: string, identity: string, key: string): Promise<void> {
    await ensurePrivateFolder(this.#dir);
    const remembered: Remembered = { identity, key };
    await writeFileAtomic(this.#path(subject), `${JSON.stringify(remembered)}\n`);
  }

  #path(subject: string): string {
    return join(this.#dir, `${sha256(subject)}.json`);
  }
}

/** What tells a file from a changed one without reading it. */
export async function fileIdentity(path: string): Promise<string> {
  const { size, mtimeMs, ino, dev } = await stat(path);
  return [size, mtimeMs, ino, dev].join(':');
}
