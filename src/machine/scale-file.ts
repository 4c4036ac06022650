import { readFile, rm } from 'node:fs/promises';
import { StateError } from '../errors.ts';
import { unlessMissing, writeFileAtomic } from '../host/files.ts';
import { MOST_REPLICAS, type Scale, type ScaledCount } from '../machinefile/replicas.ts';

/** The number of the stored format; a change of the shape below raises it and reads the old one. */
const SCALE_FORMAT = 1;

interface ScaleFile {
  readonly format: typeof SCALE_FORMAT;
  readonly machines: Readonly<Record<string, ScaledCount>>;
}

/**
 * What `vm scale` has said in this project; nothing where the file does not exist.
 * @throws StateError when it cannot be used.
 */
export async function readScale(path: string): Promise<Scale> {
  const text = await unlessMissing(readFile(path, 'utf8'));
  if (text === undefined) return new Map();
  const scale = parseScale(text);
  if (scale !== undefined) return scale;
  throw new StateError(`${path}, which has the numbers of replicas that vm scale was given, cannot be read`, {
    hint: 'remove it: the numbers in the Machinefile apply then, no machine is lost, and vm scale gives new ones',
  });
}

function parseScale(text: string): Scale | undefined {
  let file: Partial<ScaleFile> | null;
  try {
    file = JSON.parse(text) as Partial<ScaleFile> | null; // what we wrote, or damaged: looked at below
  } catch {
    return undefined;
  }
  const { format, machines } = file ?? {};
  if (format !== SCALE_FORMAT || typeof machines !== 'object' || machines === null) return undefined;
  const entries = Object.entries(machines);
  return entries.every(([, scaled]) => isCount(scaled?.replicas) && isCount(scaled?.declared))
    ? new Map(entries)
    : undefined;
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MOST_REPLICAS;
}

/** Without anything to say there is no file. */
export async function writeScale(path: string, scale: Scale): Promise<void> {
  const file: ScaleFile = { format: SCALE_FORMAT, machines: Object.fromEntries(scale) };
  if (scale.size === 0) await rm(path, { force: true });
  else await writeFileAtomic(path, `${JSON.stringify(file, undefined, 2)}\n`);
}
