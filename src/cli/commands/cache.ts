import { UsageError } from '../../errors.ts';
import { describeSize } from '../../http/progress-text.ts';
import { parseDuration, parseSize } from '../../machinefile/units.ts';
import {
  type CachedLayer,
  chainOf,
  layersNamed,
  listCache,
  SHORT_ID_LENGTH,
  type UnfinishedLayer,
} from '../../operations/cache/cache.ts';
import {
  DEFAULT_LIMITS,
  type PruneLimits,
  type PrunePlan,
  planPrune,
  prune,
  totalBytes,
} from '../../operations/cache/prune.ts';
import { verifyCache } from '../../operations/cache/verify.ts';
import type { CommandDefinition, Invocation } from '../command.ts';
import { formatUptime } from '../uptime.ts';

const cacheListCommand: CommandDefinition = {
  name: 'cache list',
  alias: 'cache ls',
  summary: 'the disk layers that machines are made of, so that steps need not run again',
  group: 'This host',
  example: 'vm cache list --json',
  async run({ services, output, globals }) {
    const { layers, unfinished } = await listCache(services);
    if (globals.json) {
      const sizeBytes = totalBytes([...layers, ...unfinished]);
      output.json({
        layers: layers.map(layerDocument),
        unfinished: unfinished.map(unfinishedDocument),
        size_bytes: sizeBytes,
      });
      return 0;
    }
    output.table(['LAYER', 'BOX', 'STEP', 'SIZE', 'AGE', 'LAST USED', 'MACHINES'], layers.map(layerRow));
    const left = unfinished.filter(({ isMakerAlive }) => !isMakerAlive);
    if (left.length > 0) {
      const text = `commands that were killed have left ${describeSize(totalBytes(left))}: vm cache prune removes what no machine stands on`;
      services.reporter.report({ type: 'message', level: 'info', text });
    }
    return 0;
  },
};

const cacheInfoCommand: CommandDefinition = {
  name: 'cache info',
  args: '<layer>',
  summary: 'what a layer is made of, and which machines stand on it',
  group: 'This host',
  example: 'vm cache info 1b7af7848411 --output',
  completes: 'layers',
  options: [{ flags: '--output', description: 'instead: what the step printed' }],
  async run({ args, options, services, output, globals }) {
    const cache = await listCache(services);
    const named = layersNamed(args[0] ?? '', cache);
    if (options.output === true) return printOutput(named, { services, output, globals });
    const documents = named.map((listed) => infoDocument(listed, chainOf(listed, cache)));
    if (globals.json) output.json(documents);
    else output.text(documents.map(formatInfo).join('\n\n'));
    return 0;
  },
};

async function printOutput(
  [newest]: readonly CachedLayer[],
  { services, output, globals }: Pick<Invocation, 'services' | 'output' | 'globals'>,
): Promise<number> {
  if (newest === undefined) throw new Error('a name gives at least one layer');
  const text = await services.layers.readOutput(newest.layer.id);
  if (globals.json) output.json({ layer: newest.layer.id, output: text ?? null });
  else if (text !== undefined) output.bytes(Buffer.from(text));
  return 0;
}

const cachePruneCommand: CommandDefinition = {
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
    { flags: '--all', description: 'all' },
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

const cacheVerifyCommand: CommandDefinition = {
  name: 'cache verify',
  args: '[layer]',
  summary: 'read layers again, and say which are damaged; no machine is made of those',
  group: 'This host',
  example: 'vm cache verify',
  completes: 'layers',
  emitsEvents: () => true,
  async run({ args, services, output, globals }) {
    const verified = await verifyCache(args[0], services);
    const damaged = verified.filter(({ problem }) => problem !== undefined);
    if (globals.json) {
      const layers = verified.map(({ layer, problem }) => ({ layer: layer.id, problem: problem ?? null }));
      output.json({ type: 'result', layers });
    } else {
      for (const { layer, problem } of damaged) output.text(`${layer.id} is damaged: ${problem}`);
      if (!globals.quiet) output.text(`${verified.length - damaged.length} of ${countLayers(verified.length)} whole`);
    }
    return damaged.length === 0 ? 0 : 1;
  },
};

export const cacheCommands: readonly CommandDefinition[] = [
  cacheListCommand,
  cacheInfoCommand,
  cachePruneCommand,
  cacheVerifyCommand,
];

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

const DAY_MS = 24 * 60 * 60 * 1000;

/** A duration, or whole days: layers live longer than what has timeouts. */
function parseAge(text: string): number {
  const days = /^(\d+)d$/.exec(text)?.[1];
  const ageMs = days === undefined ? parseDuration(text) : Number(days) * DAY_MS;
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

function countLayers(count: number): string {
  return count === 1 ? '1 layer' : `${count} layers`;
}

function bytesOf({ layers, unfinished }: PrunePlan): number {
  return totalBytes([...layers, ...unfinished]);
}

function sizeOf(plan: PrunePlan): string {
  return describeSize(bytesOf(plan));
}

function layerRow({ layer, box, sizeBytes, lastUsedAt, users, problem }: CachedLayer): string[] {
  const key = layer.key.slice(0, SHORT_ID_LENGTH);
  return [
    problem === undefined ? key : `${key} (damaged)`,
    box?.name ?? '(gone)',
    layer.step ?? '(first boot)',
    describeSize(sizeBytes),
    ageOf(layer.createdAt),
    `${ageOf(lastUsedAt)} ago`,
    users.length === 0 ? '-' : users.map(({ machine }) => machine).join(' '),
  ];
}

function ageOf(iso: string): string {
  return formatUptime(Date.now() - Date.parse(iso));
}

/** A layer as `--json` prints it. */
function layerDocument({ layer, box, sizeBytes, lastUsedAt, users, problem }: CachedLayer) {
  const { id, key, step, boxKey, createdAt } = layer;
  return {
    layer: id,
    key,
    box: box?.name ?? null,
    box_version: box?.version ?? null,
    box_key: boxKey,
    step: step ?? null,
    size_bytes: sizeBytes,
    created_at: createdAt,
    last_used_at: lastUsedAt,
    machines: users.map(({ projectDir, machine }) => ({ project: projectDir, machine })),
    problem: problem ?? null,
  };
}

function unfinishedDocument({ id, sizeBytes, isMakerAlive, users }: UnfinishedLayer) {
  return {
    layer: id,
    size_bytes: sizeBytes,
    in_progress: isMakerAlive,
    machines: users.map(({ projectDir, machine }) => ({ project: projectDir, machine })),
  };
}

function infoDocument(listed: CachedLayer, [, ...below]: readonly CachedLayer[]) {
  const { parentKey, stepFingerprint, madeBy, disks } = listed.layer;
  return {
    ...layerDocument(listed),
    parent_key: parentKey ?? null,
    step_fingerprint: stepFingerprint ?? null,
    made_by: madeBy,
    disks: disks.map(({ id, path, virtualSizeBytes }) => ({ disk: id, path, disk_bytes: virtualSizeBytes })),
    stands_on: below.map(({ layer }) => ({ layer: layer.id, step: layer.step ?? null })),
  };
}

function formatInfo({ machines, disks, stands_on, made_by, ...facts }: ReturnType<typeof infoDocument>): string {
  const lines: (readonly [string, unknown])[] = [
    ...Object.entries(facts).filter(([, value]) => value !== null),
    ['made_by', `${made_by.machine} in ${made_by.project}`],
    ...disks.map(({ path }) => ['disk', path] as const),
    ...stands_on.map(({ layer, step }) => ['stands_on', `${layer} (${step ?? 'first boot'})`] as const),
    ...machines.map(({ project, machine }) => ['machine', `${machine} in ${project}`] as const),
  ];
  return lines.map(([name, value]) => `${name.padEnd(16)} ${value}`).join('\n');
}
