import { basename, dirname } from 'node:path';
import type { Problem } from '../errors.ts';
import { dropResets, mergeTrees } from './reading/merge.ts';
import {
  type DataPath,
  isGivenAt,
  keyPositionAt,
  type MapEntry,
  type MapTree,
  positionAt,
  toData,
  treeAt,
} from './reading/tree.ts';
import type { CountReplicas } from './replicas.ts';
import type { MachineDocument, MachinefileDocument } from './schema.ts';

/** What the rules check and the spec is made of: valid by the schema, each value with its place. */
export interface Source {
  /** `defaults` are merged into each machine. */
  readonly document: MachinefileDocument;
  /** The same values with their places. */
  readonly tree: MapTree;
  readonly countReplicas: CountReplicas;
}

export type MachineSettings = NonNullable<MachineDocument>;

export interface NamedMachine {
  readonly name: string;
  readonly machine: MachineSettings;
  /** How many there are to be; absent: it has no `replicas`. */
  readonly replicas: number | undefined;
  readonly path: DataPath;
}

/** @param valid a tree that the schema allows */
export function sourceOf(valid: MapTree, countReplicas: CountReplicas): Source {
  const tree = expandDefaults(valid);
  // The schema vouches for the shape, and merging two values of one shape keeps it.
  const document = toData(tree) as MachinefileDocument;
  return { document, tree, countReplicas };
}

/** Merges `defaults` into each machine. */
function expandDefaults(tree: MapTree): MapTree {
  const { defaults, machines, ...rest } = Object.fromEntries(tree.entries);
  if (machines?.value.kind !== 'map') return dropResets(tree);
  const expanded = [...machines.value.entries].map(([name, entry]): [string, MapEntry] => {
    const value = defaults === undefined ? entry.value : mergeTrees(defaults.value, entry.value);
    const isEmpty = value.kind === 'scalar' && value.value === null;
    return [name, { ...entry, value: isEmpty ? { kind: 'map', entries: new Map(), position: value.position } : value }];
  });
  const entries = { ...rest, machines: { ...machines, value: { ...machines.value, entries: new Map(expanded) } } };
  return dropResets({ ...tree, entries: new Map(Object.entries(entries)) });
}

export function machinesOf({ document, countReplicas }: Source): NamedMachine[] {
  return Object.entries(document.machines ?? {}).map(([name, machine]) => ({
    name,
    machine: machine ?? {},
    replicas: machine?.replicas === undefined ? undefined : countReplicas(name, machine.replicas),
    path: ['machines', name],
  }));
}

/** A problem at a value. */
export function problemAt({ tree }: Source, path: DataPath, message: string): Problem {
  return { ...positionAt(tree, path), message };
}

/** A problem at a key. */
export function problemAtKey({ tree }: Source, path: DataPath, message: string): Problem {
  return { ...keyPositionAt(tree, path), message };
}

/** Whether there is a value, be it a wrong one. */
export function isGiven({ tree }: Source, path: DataPath): boolean {
  return isGivenAt(tree, path);
}

/** Whether an entry of the mapping was put aside: what it seems to lack may have been meant by that. */
export function isPartial({ tree }: Source, path: DataPath): boolean {
  const map = treeAt(tree, path);
  return map?.kind === 'map' && (map.putAside?.size ?? 0) > 0;
}

/** The folder of the file that a value stands in: where its relative path begins. */
export function dirOf({ tree }: Source, path: DataPath): string {
  return dirname(positionAt(tree, path).file);
}

/** “Machinefile:12”, to point from one problem to another place. */
export function placeOf({ tree }: Source, path: DataPath): string {
  const { file, line } = positionAt(tree, path);
  return `${basename(file)}:${line}`;
}

/** Whether two values are one in the file: both come from `defaults`, or from one anchor. */
export function isSamePlace({ tree }: Source, a: DataPath, b: DataPath): boolean {
  const [{ file, line, column }, other] = [positionAt(tree, a), positionAt(tree, b)];
  return file === other.file && line === other.line && column === other.column;
}
