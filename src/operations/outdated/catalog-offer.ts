import { chooseFrom } from '../../boxes/importing/choose-from-catalog.ts';
import type { VagrantCatalog } from '../../boxes/vagrant/catalog.ts';
import type { Arch } from '../../machinefile/spec.ts';
import { type Constraint, compareVersions, isVersion } from '../../machinefile/versions.ts';
import type { CurrentBox, Offer } from './offer.ts';

/** What a Vagrant catalog has. @throws VmError if it has no such box. */
export function offerOfCatalog(
  catalog: VagrantCatalog,
  { version, arch }: { readonly version: Constraint | undefined; readonly arch: Arch },
  current: CurrentBox,
): Offer {
  const { version: available } = chooseFrom(catalog, { version, arch });
  const { version: newest } = chooseFrom(catalog, { version: undefined, arch });
  return {
    available,
    newest: newest === available ? undefined : newest,
    // A version of a catalog does not change; what is called by its content is from elsewhere.
    isOther: !isVersion(current.version) || compareVersions(available, current.version) > 0,
  };
}
