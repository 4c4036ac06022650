import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testHomeDir } from './paths.ts';

/** A VM_HOME of its own with the boxes of all tests, for what else is kept there. Disposing it removes it. */
export interface OwnHome extends AsyncDisposable {
  readonly dir: string;
}

/** @param parentDir where it is made; the temp folder unless given. */
export async function makeOwnHome(parentDir = tmpdir()): Promise<OwnHome> {
  const dir = await mkdtemp(join(parentDir, 'vm-home-'));
  await mkdir(join(testHomeDir, 'boxes'), { recursive: true });
  await symlink(join(testHomeDir, 'boxes'), join(dir, 'boxes'));
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}
