import { join, resolve } from 'node:path';

export interface PathBase {
  /** The folder of the file that has the path. */
  readonly dir: string;
  /** The user's, for `~`. */
  readonly homeDir: string;
}

/** Makes a path of a Machinefile absolute. */
export function resolveHostPath(path: string, { dir, homeDir }: PathBase): string {
  if (path === '~') return homeDir;
  return path.startsWith('~/') ? join(homeDir, path.slice(2)) : resolve(dir, path);
}
