import { posix } from 'node:path';
import type { Problem } from '../../../errors.ts';
import { isMistake } from '../../forms/parsed.ts';
import { parseSync } from '../../forms/sync.ts';
import { parseVolume } from '../../forms/volume.ts';
import type { DataPath } from '../../reading/tree.ts';
import { isGiven, machinesOf, type NamedMachine, placeOf, problemAt, problemAtKey, type Source } from '../../source.ts';
import { alternatives } from '../../suggest.ts';

/** Folders, volumes and disks of each machine: well-formed, declared, and none in the place of another. */
export function checkStorage(source: Source): Problem[] {
  return machinesOf(source).flatMap((named) => [
    ...checkFolders(source, named),
    ...checkVolumes(source, named),
    ...checkDiskCount(source, named),
    ...checkReplicas(source, named),
    ...checkTwice(source, diskNamesOf(named), 'disk'),
    ...checkTwice(source, volumeNamesOf(named), 'volume'),
    ...checkTwice(source, guestPathsOf(named), 'guest path'),
  ]);
}

function checkFolders(source: Source, { machine, path }: NamedMachine): Problem[] {
  return (machine.sync ?? []).flatMap((sync, index) => {
    const parsed = parseSync(sync);
    const at = [...path, 'sync', index];
    return isMistake(parsed)
      ? [problemAt(source, typeof sync === 'string' ? at : [...at, 'guest'], parsed.mistake)]
      : [];
  });
}

function checkVolumes(source: Source, { machine, path }: NamedMachine): Problem[] {
  const declared = Object.keys(source.document.volumes ?? {});
  return (machine.volumes ?? []).flatMap((volume, index) => {
    const at = [...path, 'volumes', index];
    const parsed = parseVolume(volume);
    const name = nameIn(volume);
    const message = `volume “${name}” is not declared under the top-level “volumes”${alternatives(name, declared)}`;
    return [
      ...(isMistake(parsed) ? [problemAt(source, at, parsed.mistake)] : []),
      ...(isGiven(source, ['volumes', name]) ? [] : [problemAt(source, at, message)]),
    ];
  });
}

function nameIn(volume: string): string {
  return volume.slice(0, volume.indexOf(':'));
}

function checkReplicas(source: Source, { machine: { volumes = [] }, replicas = 1, path }: NamedMachine): Problem[] {
  if (replicas <= 1 || volumes.length === 0) return [];
  const message = `${replicas} replicas cannot have volumes: only one running machine at a time can have a volume`;
  return [problemAtKey(source, [...path, 'volumes'], message)];
}

/** As many as a box has after its root disk. */
const MOST_DISKS = 15;

function checkDiskCount(source: Source, { machine: { disks = [] }, path }: NamedMachine): Problem[] {
  if (disks.length <= MOST_DISKS) return [];
  return [
    problemAt(source, [...path, 'disks', MOST_DISKS], `${disks.length} disks are too many (at most ${MOST_DISKS})`),
  ];
}

interface Named {
  readonly text: string;
  readonly path: DataPath;
}

function diskNamesOf({ machine, path }: NamedMachine): Named[] {
  return (machine.disks ?? []).map(({ name }, index) => ({ text: name, path: [...path, 'disks', index, 'name'] }));
}

function volumeNamesOf({ machine, path }: NamedMachine): Named[] {
  return (machine.volumes ?? []).map((volume, index) => ({ text: nameIn(volume), path: [...path, 'volumes', index] }));
}

/** Where the guest has something mounted or copied to. */
function guestPathsOf({ machine, path }: NamedMachine): Named[] {
  const volumes = (machine.volumes ?? []).flatMap((volume, index) => {
    const parsed = parseVolume(volume);
    return isMistake(parsed) ? [] : [{ text: parsed.value.guestPath, path: [...path, 'volumes', index] }];
  });
  const folders = (machine.sync ?? []).flatMap((sync, index) => {
    const parsed = parseSync(sync);
    return isMistake(parsed) ? [] : [{ text: parsed.value.guest, path: [...path, 'sync', index] }];
  });
  return [...volumes, ...folders].map((named) => ({ ...named, text: posix.join(named.text, '.') }));
}

function checkTwice(source: Source, named: readonly Named[], what: string): Problem[] {
  return named.flatMap(({ text, path }, index) => {
    const other = named.slice(0, index).find((earlier) => earlier.text === text);
    if (other === undefined) return [];
    return [problemAt(source, path, `${what} “${text}” is given already, at ${placeOf(source, other.path)}`)];
  });
}
