import type { Problem } from '../../../errors.ts';
import type { DataPath } from '../../reading/tree.ts';
import { machinesOf, problemAt, type Source } from '../../source.ts';
import { formatSize, parseDuration, parseSize } from '../../units.ts';

const SMALLEST_BYTES = 2 ** 20;
/** With less there is no room for the journal that keeps its data over a crash. */
const SMALLEST_VOLUME_BYTES = 2 ** 24;
const LARGEST_BYTES = 2 ** 50;

interface Amount {
  readonly path: DataPath;
  readonly value: string | number | undefined;
  /** Of a size. */
  readonly leastBytes?: number;
}

/** Sizes and timeouts that are well-formed but cannot be meant. */
export function checkAmounts(source: Source): Problem[] {
  return [
    ...sizesOf(source).flatMap((amount) => checkSize(source, amount)),
    ...timeoutsOf(source).flatMap((amount) => checkTimeout(source, amount)),
  ];
}

function sizesOf(source: Source): Amount[] {
  const ofMachines = machinesOf(source).flatMap(({ machine, path }) => [
    { path: [...path, 'memory'], value: machine.memory },
    { path: [...path, 'disk'], value: machine.disk },
    ...(machine.disks ?? []).map(({ size }, index) => ({ path: [...path, 'disks', index, 'size'], value: size })),
  ]);
  const ofVolumes = Object.entries(source.document.volumes ?? {}).map(([name, volume]) => ({
    path: ['volumes', name, 'size'],
    value: volume?.size,
    leastBytes: SMALLEST_VOLUME_BYTES,
  }));
  return [...ofMachines, ...ofVolumes];
}

function checkSize(source: Source, { path, value, leastBytes = SMALLEST_BYTES }: Amount): Problem[] {
  const bytes = value === undefined ? undefined : parseSize(value);
  if (bytes === undefined || (bytes >= leastBytes && bytes <= LARGEST_BYTES)) return [];
  const fault = bytes < leastBytes ? 'small' : 'large';
  return [problemAt(source, path, `“${value}” is too ${fault} (${formatSize(leastBytes)} to 1024TiB)`)];
}

function timeoutsOf(source: Source): Amount[] {
  return machinesOf(source).flatMap(({ machine, path }) => [
    { path: [...path, 'boot_timeout'], value: machine.boot_timeout },
    { path: [...path, 'halt_timeout'], value: machine.halt_timeout },
    { path: [...path, 'healthcheck', 'interval'], value: machine.healthcheck?.interval },
    { path: [...path, 'healthcheck', 'timeout'], value: machine.healthcheck?.timeout },
  ]);
}

const LONGEST_MS = 24 * 60 * 60 * 1000;

function checkTimeout(source: Source, { path, value }: Amount): Problem[] {
  const durationMs = typeof value === 'string' ? parseDuration(value) : undefined;
  if (durationMs === undefined || (durationMs > 0 && durationMs <= LONGEST_MS)) return [];
  return [
    problemAt(source, path, `“${value}” is too ${durationMs > 0 ? 'long' : 'short'} (more than 0s, at most 24h)`),
  ];
}
