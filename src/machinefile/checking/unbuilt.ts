import type { Problem } from '../../errors.ts';
import type { Data, DataPath } from '../reading/tree.ts';
import { toData, treeAt } from '../reading/tree.ts';
import { machinesOf, problemAtKey, type Source } from '../source.ts';
import type { Arch } from '../spec.ts';

/** What of the host decides whether a key can be used. */
export interface HostFacts {
  readonly arch: Arch;
  readonly platform: NodeJS.Platform;
}

/** A key that is known but whose feature is not there yet. Remove its row when the feature is built. */
interface Unbuilt {
  /** From a machine; `*` is any key or place. */
  readonly key: string;
  /** Which values are not built; absent: all. */
  readonly when?: (value: Data, host: HostFacts) => boolean;
  /** What cannot be used. */
  readonly what: string;
  /** What to do meanwhile. */
  readonly instead: string;
}

/** Exported for the test that `Machinefile.example` shows all the others. */
export const PER_MACHINE: readonly Unbuilt[] = [
  { key: 'provider', when: (value) => value === 'libvirt', what: 'provider libvirt', instead: 'use qemu' },
  {
    key: 'arch',
    when: (value, { arch }) => value !== arch,
    what: 'another architecture than that of the host',
    instead: 'remove “arch”',
  },
  {
    key: 'accel',
    when: (value, { platform }) => value === 'hvf' && platform !== 'darwin',
    what: 'hvf, the accelerator of macOS, outside of macOS',
    instead: 'use auto',
  },
  {
    key: 'sync.*.type',
    when: (value) => value !== 'rsync',
    what: 'sharing a folder over 9p or virtiofs',
    instead: 'use rsync',
  },
  { key: 'sync.*.watch', when: (value) => value === true, what: '“watch”', instead: 'run `vm sync` after changes' },
  ...['file', 'ansible', 'puppet', 'docker', 'compose'].map((type) => ({
    key: `provision.*.${type}`,
    what: `provisioning with “${type}”`,
    instead: 'use “shell”',
  })),
  { key: 'libvirt', what: '“libvirt”', instead: 'remove it' },
];

/** Reports each use of a feature that is not built yet. */
export function checkUnbuilt(source: Source, host: HostFacts): Problem[] {
  return machinesOf(source).flatMap(({ path }) =>
    PER_MACHINE.flatMap((unbuilt) => find(source, unbuilt, { root: path, host })),
  );
}

interface Search {
  readonly root: DataPath;
  readonly host: HostFacts;
}

function find(source: Source, unbuilt: Unbuilt, { root, host }: Search): Problem[] {
  const { key, when = () => true, what, instead } = unbuilt;
  return pathsMatching(source, root, key.split('.')).flatMap((path) => {
    const tree = treeAt(source.tree, path);
    const isUsed = tree !== undefined && when(toData(tree), host);
    return isUsed ? [problemAtKey(source, path, describe(what, instead))] : [];
  });
}

function describe(what: string, instead: string): string {
  return `${what} is not built yet (${instead})`;
}

function pathsMatching({ tree }: Source, root: DataPath, pattern: readonly string[]): DataPath[] {
  return pattern.reduce<DataPath[]>(
    (paths, part) => paths.flatMap((path) => (part === '*' ? childPaths(treeAt(tree, path), path) : [[...path, part]])),
    [root],
  );
}

function childPaths(tree: ReturnType<typeof treeAt>, path: DataPath): DataPath[] {
  if (tree?.kind === 'list') return tree.items.map((_, index) => [...path, index]);
  return tree?.kind === 'map' ? [...tree.entries.keys()].map((key) => [...path, key]) : [];
}
