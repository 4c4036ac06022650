import { listTargets, type Project } from './project.ts';

/** What a command takes: machines, machines with `replicas` and a number of them, or volumes. */
export type CompletionList = 'machines' | 'groups' | 'volumes';

/** What a shell offers where a command takes such names: also the names that mean all replicas of a machine. */
export async function namesToComplete(project: Project, list: CompletionList): Promise<string[]> {
  if (list === 'volumes') return project.states.volumes.list();
  const groups = 'groups' in project.spec ? project.spec.groups.map(({ template }) => template.name) : [];
  if (list === 'groups') return groups.map((name) => `${name}=`);
  const targets = await listTargets(project);
  const ofReplicas = targets.flatMap(({ replica }) => replica?.of ?? []);
  return [...new Set([...groups, ...ofReplicas, ...targets.map(({ name }) => name)])];
}
