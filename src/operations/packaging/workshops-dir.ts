import { dirname, join } from 'node:path';
import type { HostDirs } from '../../host/dirs.ts';

/** Where machines live that boxes are made in. */
export function workshopsDir({ homeDir }: Pick<HostDirs, 'homeDir'>): string {
  return join(homeDir, 'workshops');
}

/** Whether a project is one that vm made for itself. */
export function isWorkshop(projectDir: string, dirs: Pick<HostDirs, 'homeDir'>): boolean {
  return dirname(projectDir) === workshopsDir(dirs);
}
