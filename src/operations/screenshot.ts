import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../errors.ts';
import { asWriteError } from '../host/files.ts';
import { kindOfPath } from '../host/path-kind.ts';
import { requireRunning } from './guest.ts';
import { findTarget, type Project } from './project.ts';
import type { Services } from './services.ts';

export interface Screenshot {
  readonly machine: string;
  /** Absolute. */
  readonly path: string;
}

/**
 * Writes what a machine's screen shows as PNG, over the file that is there.
 * @param path absolute; chosen by the machine's name. The hypervisor writes beside it, so that no half file is seen.
 * @throws UsageError if no file can be there; StateError if the machine does not run, or has no screen.
 */
export async function screenshot(
  project: Project,
  { machine, pathFor }: { readonly machine: string | undefined; readonly pathFor: (name: string) => string },
  services: Services,
): Promise<Screenshot> {
  const { name } = await findTarget(project, machine);
  const running = await requireRunning(project, name, services);
  const path = pathFor(name);
  if ((await kindOfPath(path)) === 'folder') throw new UsageError(`${path} is a folder`, { hint: 'name a file in it' });
  if ((await kindOfPath(dirname(path))) !== 'folder') throw new UsageError(`${dirname(path)} is no folder`);
  const besidePath = join(dirname(path), `.${name}-${process.pid}.png`);
  try {
    await services.providers[running.record.provider].screenshot(running, besidePath);
    await rename(besidePath, path).catch((error: unknown) => {
      throw asWriteError(path, error);
    });
  } finally {
    await rm(besidePath, { force: true });
  }
  return { machine: name, path };
}
