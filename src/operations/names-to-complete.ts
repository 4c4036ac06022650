import { UsageError } from '../errors.ts';
import { RunStore } from '../machine/run-store.ts';
import { groupNames, namesOfMachines, type Project } from './project.ts';
import type { Services } from './services.ts';

/** What a command takes: machines, machines with `replicas` and a number of them, or volumes. */
export type CompletionList = 'machines' | 'groups' | 'volumes';

/**
 * What a shell offers where a command takes such names: also the names that mean all replicas of a machine, and the runs
 * of `vm run`, which need no project here.
 */
export async function namesToComplete(
  { open, list }: { readonly open: () => Promise<Project>; readonly list: CompletionList },
  { dirs }: Services,
): Promise<string[]> {
  if (list === 'volumes') return (await open()).states.volumes.list();
  if (list === 'groups') return groupNames(await open()).map((name) => `${name}=`);
  const runs = await new RunStore(dirs.homeDir).list();
  const here = await open().then(namesOfMachines, (error: unknown) => {
    if (error instanceof UsageError) return [];
    throw error;
  });
  return [...new Set([...here, ...runs])];
}
