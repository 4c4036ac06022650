import { UsageError } from '../errors.ts';
import { isBoxName } from '../machinefile/forms/box.ts';
import { isVersion } from '../machinefile/versions.ts';

/** The version of a box that was given none, as in Vagrant. */
export const FIRST_VERSION = '0';

/** @throws UsageError for what is no name of a box. */
export function checkBoxName(name: string): void {
  if (isBoxName(name)) return;
  throw new UsageError(`“${name}” is not a name for a box`, { hint: 'small letters, digits, . _ - and /: team/app' });
}

/** @throws UsageError for what is no version of a box. */
export function checkBoxVersion(version: string): void {
  if (!isVersion(version)) throw new UsageError(`“${version}” is not a version`, { hint: 'such as 1.2.0' });
}
