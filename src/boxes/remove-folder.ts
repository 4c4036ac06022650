import { rm } from 'node:fs/promises';
import { run } from '../host/exec.ts';
import { systemErrorCode } from '../host/files.ts';
import { removeFolder as removeFolderCommand } from './build-commands.ts';
import { BUILD_PATH, confined } from './build-mode.ts';

/** Removes a folder that boxes are made in. A rootless build leaves files of subordinate users when it is killed. */
export async function removeFolder(path: string): Promise<void> {
  try {
    // Retries: processes that were killed together with their parent may need a moment to be gone.
    await rm(path, { recursive: true, force: true, maxRetries: 5 });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    await run(confined('rootless', removeFolderCommand(path)), { env: { PATH: BUILD_PATH } });
  }
}
