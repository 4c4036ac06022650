import { UsageError } from '../../errors.ts';
import { describeSize } from '../../http/progress-text.ts';
import { parseDuration, parseSize } from '../../machinefile/units.ts';
import {
  DEFAULT_LIMITS,
  type PruneLimits,
  type PrunePlan,
  planPrune,
  prune,
  totalBytes,
} from '../../operations/cache/prune.ts';
import type { CommandDefinition } from '../command.ts';

export const cachePruneCommand: CommandDefinition = {
  name: 'cache prune',
  summary: 'remove layers that no machine stands on: damaged and long unused ones, and what goes beyond a size',
  group: 'This host',
  example: 'vm cache prune --older-than 7d',
  options: [
    {
      flags: '--keep-size <size>',
      description: 'the least recently used, until all layers take no more (default: 20GiB)',
      parse: parseKeepSize,
    },
    {
      flags: '--older-than <duration>',
      description: 'those that were not used for so long: 12h, 7d (default: 30d)',
      parse: parseAge,
    },
    { flags: '--all', description: 'all that no machine stands on' },
    { flags: '--force', description: 'without asking, as --yes' },
  ],
  emitsEvents: () => true,
  async run({ options, services, output, globals, confirm }) {
    const plan = await planPrune(pruneLimits(options), services);
    const isSure = options.force === true || isEmpty(plan);
    if (!isSure && !(await confirm(`Remove ${namesOf(plan)}? That frees ${sizeOf(plan)}.`))) return 1;
    const removed = await prune(plan, services);
    if (globals.json) {
      const ids = [...removed.layers.map(({ layer }) => layer.id), ...removed.unfinished.map(({ id }) => id)];
      output.json({ type: 'result', removed: ids, freed_bytes: bytesOf(removed) });
    } else if (!globals.quiet) {
      output.text(isEmpty(removed) ? 'nothing to remove' : `removed ${namesOf(removed)}: ${sizeOf(removed)} freed`);
    }
    return 0;
  },
};

/** Where one limit is given, the other does not hold. All is also what seems to be used in the future. */
function pruneLimits({ all, olderThan, keepSize }: Readonly<Record<string, unknown>>): PruneLimits {
  if (all === true) return { unusedForMs: Number.NEGATIVE_INFINITY, keepBytes: undefined };
  if (olderThan === undefined && keepSize === undefined) return DEFAULT_LIMITS;
  return { unusedForMs: numberOf(olderThan), keepBytes: numberOf(keepSize) };
}

function numberOf(option: unknown): number | undefined {
  return typeof option === 'number' ? option : undefined;
}

function parseKeepSize(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new UsageError('must be a size such as 10GiB');
  return bytes;
}

function parseAge(text: string): number {
  const ageMs = parseDuration(text);
  if (ageMs === undefined) throw new UsageError('must be a time such as 12h or 7d');
  return ageMs;
}

function isEmpty({ layers, unfinished }: PrunePlan): boolean {
  return layers.length + unfinished.length === 0;
}

function namesOf({ layers, unfinished }: PrunePlan): string {
  const damaged = layers.filter(({ problem }) => problem !== undefined).length;
  const parts = [
    ...(layers.length === 0 ? [] : [countLayers(layers.length) + (damaged === 0 ? '' : ` (${damaged} damaged)`)]),
    ...(unfinished.length === 0 ? [] : ['what killed commands have left']),
  ];
  return parts.join(' and ');
}

export function countLayers(count: number): string {
  return count === 1 ? '1 layer' : `${count} layers`;
}

function bytesOf({ layers, unfinished }: PrunePlan): number {
  return totalBytes([...layers, ...unfinished]);
}

function sizeOf(plan: PrunePlan): string {
  return describeSize(bytesOf(plan));
}
