import type { Problem } from '../../../errors.ts';
import { parseBox } from '../../forms/box.ts';
import { isMistake } from '../../forms/parsed.ts';
import {
  isGiven,
  isPartial,
  machinesOf,
  type NamedMachine,
  problemAt,
  problemAtKey,
  type Source,
} from '../../source.ts';

/** Each machine starts from a box, or from an empty disk and a cdrom. */
export function checkBoxes(source: Source): Problem[] {
  return machinesOf(source).flatMap((named) => [...checkOrigin(source, named), ...checkBoot(source, named)]);
}

function checkOrigin(source: Source, { name, machine, path }: NamedMachine): Problem[] {
  const [boxPath, cdromPath] = [
    [...path, 'box'],
    [...path, 'cdrom'],
  ];
  const [hasBox, hasCdrom] = [isGiven(source, boxPath), isGiven(source, cdromPath)];
  if (!hasBox && !hasCdrom) {
    return [problemAtKey(source, path, `machine “${name}” needs a “box” (or a “cdrom” to install a system from)`)];
  }
  if (hasBox && hasCdrom) {
    const message = '“cdrom” is for an empty disk, not together with “box” (write “box: !reset” to drop a default)';
    return [problemAtKey(source, cdromPath, message)];
  }
  if (hasCdrom && !isGiven(source, [...path, 'disk'])) {
    return [problemAtKey(source, cdromPath, '“cdrom” needs “disk”, the size of the empty disk (such as 20GiB)')];
  }
  const box = machine.box === undefined ? undefined : parseBox(machine.box);
  return box !== undefined && isMistake(box) && !isPartial(source, boxPath)
    ? [problemAt(source, boxPath, box.mistake)]
    : [];
}

function checkBoot(source: Source, { machine, path }: NamedMachine): Problem[] {
  const index = machine.boot?.indexOf('cdrom') ?? -1;
  if (index < 0 || isGiven(source, [...path, 'cdrom'])) return [];
  return [problemAt(source, [...path, 'boot', index], 'there is no “cdrom” to boot from')];
}
