import { InterruptedError, UsageError } from '../../errors.ts';
import { MOST_REPLICAS, type WantedReplicas } from '../../machinefile/replicas.ts';
import { planScale, scale } from '../../operations/scale/scale.ts';
import type { CommandDefinition } from '../command.ts';
import { upDocument } from '../documents.ts';
import { noHooksOption } from './project-options.ts';
import { printOutcomes } from './up.ts';
import { lockedOption, lockMode, noDepsOption, noProvisionOption, parallelism, parallelOption } from './up-options.ts';

export const scaleCommand: CommandDefinition = {
  name: 'scale',
  args: '<machine=n...>',
  summary: 'make more or fewer replicas of machines; those beyond the number are destroyed',
  group: 'Machines',
  example: 'vm scale web=3',
  completes: 'groups',
  options: [noProvisionOption, parallelOption, noDepsOption, lockedOption, noHooksOption],
  emitsEvents: () => true,
  async run(invocation) {
    const { args, options, openProject: open, confirm, services, globals, output } = invocation;
    const wanted = parseWanted(args);
    const { surplus: agreed } = await planScale(open, wanted);
    if (agreed.length > 0 && !(await confirm(`Destroy ${agreed.join(', ')}? What is on the disks is lost.`))) return 1;
    const up = {
      lock: lockMode(options),
      withDependencies: options.deps !== false,
      options: { provision: { kind: options.provision === false ? 'none' : 'missing' }, recreate: false },
      parallel: parallelism(options),
    } as const;
    const { machines, destroyed } = await scale({ open, wanted, agreed, up }, services).catch((error: unknown) => {
      throw error instanceof InterruptedError ? withWayOn(error, args) : error;
    });
    if (globals.json) {
      output.json({ type: 'result', machines: machines.map(upDocument), destroyed });
      return 0;
    }
    printOutcomes(invocation, await open(), machines);
    if (destroyed.length > 0 && !globals.quiet) output.text(`${destroyed.join(', ')} destroyed`);
    return 0;
  },
};

/** `web=3`, once for each machine. */
export function parseWanted(args: readonly string[]): WantedReplicas {
  const wanted = new Map<string, number>();
  for (const arg of args) {
    const [, name, count] = /^([^=]+)=(\d+)$/.exec(arg) ?? [];
    if (name === undefined) throw new UsageError(`“${arg}” is not a machine and a number`, { hint: 'vm scale web=3' });
    if (Number(count) > MOST_REPLICAS) {
      throw new UsageError(`${count} replicas are too many (at most ${MOST_REPLICAS})`);
    }
    if (wanted.has(name)) throw new UsageError(`${name} is given twice`, { hint: 'say once how many there are to be' });
    wanted.set(name, Number(count));
  }
  return wanted;
}

function withWayOn(cause: InterruptedError, args: readonly string[]): InterruptedError {
  return new InterruptedError(cause.message, { hint: `vm scale ${args.join(' ')} goes on from here`, cause });
}
