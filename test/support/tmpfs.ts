import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const runProgram = promisify(execFile);

/** A file system of a size of its own. Needs root. Disposing it unmounts and removes it. */
export interface Tmpfs extends AsyncDisposable {
  readonly dir: string;
  resize(size: string): Promise<void>;
  makeReadOnly(): Promise<void>;
}

/** @param size as mount takes it: `64m`. */
export async function mountTmpfs(size: string): Promise<Tmpfs> {
  const dir = await mkdtemp(join(tmpdir(), 'vm-tmpfs-'));
  const mount = (...options: string[]) => runProgram('mount', [...options, dir]);
  await mount('-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs');
  return {
    dir,
    resize: async (newSize) => void (await mount('-o', `remount,size=${newSize}`)),
    makeReadOnly: async () => void (await mount('-o', 'remount,ro')),
    [Symbol.asyncDispose]: async () => {
      await runProgram('umount', [dir]);
      await rm(dir, { recursive: true });
    },
  };
}
