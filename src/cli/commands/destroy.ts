import { type DestroyPlan, destroy, planDestroy } from '../../operations/destroy.ts';
import type { CommandDefinition } from '../command.ts';
import { noHooksOption } from './project-options.ts';

export const destroyCommand: CommandDefinition = {
  name: 'destroy',
  args: '[machines...]',
  summary: 'remove machines and everything of theirs but their volumes',
  group: 'Machines',
  example: 'vm destroy --yes',
  completes: 'machines',
  options: [
    { flags: '--volumes', description: 'also remove their volumes; where no machine is named, all of the project' },
    noHooksOption,
  ],
  emitsEvents: () => true,
  async run({ openProject, args, options, services, output, globals, confirm }) {
    const project = await openProject();
    const removesVolumes = options.volumes === true;
    const question = destroyQuestion(await planDestroy(project, args), removesVolumes);
    if (question !== undefined && !(await confirm(question))) return 1;
    const { machines, volumes } = await destroy(project, args, { removesVolumes, services });
    if (globals.json) {
      const [removed, kept] = removesVolumes ? [volumes, []] : [[], volumes];
      output.json({ type: 'result', machines, volumes_removed: removed, volumes_kept: kept });
      return 0;
    }
    if (globals.quiet) return 0;
    const gone = [...machines, ...(removesVolumes ? volumes.map((name) => `the volume ${name}`) : [])];
    output.text(gone.length === 0 ? 'nothing to destroy' : `${gone.join(', ')} destroyed`);
    if (!removesVolumes && volumes.length > 0) output.text(keptText(volumes, args.length > 0));
    return 0;
  },
};

/** What is to be lost; undefined where that is nothing. */
function destroyQuestion({ machines, volumes }: DestroyPlan, removesVolumes: boolean): string | undefined {
  const doomedVolumes = removesVolumes ? volumes : [];
  if (machines.length + doomedVolumes.length === 0) return undefined;
  if (doomedVolumes.length === 0) return `Destroy ${machines.join(', ')}? What is on the disks is lost.`;
  const named = `${doomedVolumes.length === 1 ? 'the volume' : 'the volumes'} ${doomedVolumes.join(', ')}`;
  if (machines.length === 0) return `Remove ${named}? What is on volumes is lost.`;
  return `Destroy ${machines.join(', ')}, and ${named}? What is on disks and volumes is lost.`;
}

/** `vm destroy` alone would also destroy the machines that were not named. */
function keptText(volumes: readonly string[], isSelection: boolean): string {
  const names = volumes.join(', ');
  const way = isSelection ? `vm volume rm ${volumes.join(' ')}` : 'vm destroy --volumes';
  return `volumes kept: ${names} (${way} removes ${volumes.length === 1 ? 'it' : 'them'})`;
}
