import { describeSize } from '../../http/progress-text.ts';
import type { Layer } from '../../layers/layer.ts';
import {
  type CachedLayer,
  chainOf,
  layersNamed,
  listCache,
  SHORT_ID_LENGTH,
  type UnfinishedLayer,
} from '../../operations/cache/cache.ts';
import { flattenProblem } from '../../operations/cache/flatten.ts';
import { totalBytes } from '../../operations/cache/prune.ts';
import { verifyCache } from '../../operations/cache/verify.ts';
import type { Services } from '../../operations/services.ts';
import type { CommandDefinition, Invocation } from '../command.ts';
import { formatUptime } from '../uptime.ts';
import { cacheFlattenCommand } from './cache-flatten.ts';
import { cachePruneCommand, countLayers } from './cache-prune.ts';

const cacheListCommand: CommandDefinition = {
  name: 'cache list',
  alias: 'cache ls',
  summary: 'the disk layers that machines are made of, so that steps need not run again',
  group: 'This host',
  example: 'vm cache list --json',
  async run({ services, output, globals }) {
    const { layers, unfinished } = await listCache(services);
    await reportUnmerged(layers, services);
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

/** Nobody has seen it fail. */
async function reportUnmerged(listed: readonly CachedLayer[], { layers, reporter }: Services): Promise<void> {
  for (const { layer } of listed) {
    const problem = await flattenProblem(layer.id, layers);
    if (problem === undefined) continue;
    const name = layer.id.slice(0, SHORT_ID_LENGTH);
    const text = `${name} could not be merged with the layers below it, after a halt (vm cache flatten ${name} tries it again):\n${problem}`;
    reporter.report({ type: 'message', level: 'warning', text });
  }
}

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
  cacheFlattenCommand,
];

function layerRow({ layer, box, sizeBytes, lastUsedAt, users, problem }: CachedLayer): string[] {
  const key = layer.key.slice(0, SHORT_ID_LENGTH);
  return [
    problem === undefined ? key : `${key} (damaged)`,
    box?.name ?? '(gone)',
    nameOfState(layer),
    describeSize(sizeBytes),
    ageOf(layer.createdAt),
    `${ageOf(lastUsedAt)} ago`,
    users.length === 0 ? '-' : users.map(({ machine }) => machine).join(' '),
  ];
}

function nameOfState({ step = '(first boot)', template, flatOf, isPrivate }: Layer): string {
  const isMerged = flatOf !== undefined;
  return [isPrivate ? '(clone)' : step, template && '(warm)', isMerged && '(merged)'].filter(Boolean).join(' ');
}

function ageOf(iso: string): string {
  return formatUptime(Date.now() - Date.parse(iso));
}

/** A layer as `--json` prints it. */
function layerDocument({ layer, box, sizeBytes, lastUsedAt, users, problem }: CachedLayer) {
  const { id, key, step, boxKey, createdAt, template, flatOf, isPrivate = false } = layer;
  return {
    layer: id,
    key,
    box: box?.name ?? null,
    box_version: box?.version ?? null,
    box_key: boxKey,
    step: step ?? null,
    private: isPrivate,
    memory_bytes: template?.ramBytes ?? null,
    flat_of: flatOf ?? null,
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
