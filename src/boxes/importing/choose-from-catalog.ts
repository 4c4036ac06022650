import { VmError } from '../../errors.ts';
import type { Arch } from '../../machinefile/spec.ts';
import { type Constraint, parseConstraint } from '../../machinefile/versions.ts';
import type { VagrantCatalog } from '../vagrant/catalog.ts';
import { type ChosenBox, chooseVersion } from '../vagrant/choose-version.ts';
import type { BoxCalling } from './import.ts';

/** Both are disks for QEMU; the first is packaged by more people. */
const PROVIDERS = ['libvirt', 'qemu'];

const ANY_VERSION = parseConstraint('') as Constraint; // an empty one is well-formed

/** The box of a catalog that is meant. @throws VmError which says what there is instead. */
export function chooseFrom(
  catalog: VagrantCatalog,
  { version = ANY_VERSION, arch }: { readonly version: Constraint | undefined; readonly arch: Arch },
): ChosenBox {
  return chooseVersion(catalog, { constraint: version, providers: PROVIDERS, arch });
}

/** @throws VmError for a version that was asked of what has only one, unless it is how that is called. */
export function checkVersion(
  place: string,
  { version, called }: { readonly version: Constraint | undefined; readonly called?: BoxCalling | undefined },
): void {
  if (version === undefined || version.text === called?.version) return;
  throw new VmError(`${place} is not a Vagrant catalog: there is no version “${version.text}” to choose in it`, {
    hint: 'remove the version; a checksum makes sure which file it is',
  });
}
