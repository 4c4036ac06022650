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

/**
 * How a box of a catalog is called: as the user says, or the catalog. A catalog that a Machinefile names must not decide
 * what other projects mean by `debian/12`: only what was asked for under a name is found by it.
 */
export function callingOf(
  catalog: VagrantCatalog,
  { version }: ChosenBox,
  { called, takesName }: { readonly called: BoxCalling | undefined; readonly takesName: boolean },
): BoxCalling {
  return { name: called?.name ?? catalog.name, version, isNamed: called?.isNamed ?? takesName, user: called?.user };
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
