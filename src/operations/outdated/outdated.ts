import type { Box } from '../../boxes/box.ts';
import { recallOci } from '../../boxes/importing/import-oci.ts';
import { recallUrl } from '../../boxes/importing/import-url.ts';
import { readLockfile } from '../../machinefile/lockfile.ts';
import type { BoxReference } from '../../machinefile/spec.ts';
import { importTools } from '../box-sources.ts';
import type { Project } from '../project.ts';
import { askedBoxes } from '../project-boxes.ts';
import type { Services } from '../services.ts';
import type { CurrentBox, Offer } from './offer.ts';
import { findOffer } from './offers.ts';

export interface BoxState extends Offer {
  /** As the lockfile calls it. */
  readonly box: string;
  /** The version that is locked, or would be used; absent where there is none yet. */
  readonly current: string | undefined;
}

/**
 * Which boxes of a project are not the newest that the Machinefile allows: those named, or all. Changes nothing, and
 * downloads no image.
 * @throws UsageError for a box that the Machinefile does not ask for; VmError if a source cannot be asked.
 */
export async function outdatedBoxes(
  project: Project,
  names: readonly string[],
  services: Services,
): Promise<readonly BoxState[]> {
  const locked = await readLockfile(project.projectDir);
  const states: BoxState[] = [];
  for (const [box, reference] of askedBoxes(project, names)) {
    const current = locked.get(box) ?? (await findCurrent(reference, services));
    const offer = current === undefined ? NOT_HERE : await findOffer(reference, current, services);
    states.push({ box, current: current?.version, ...offer });
  }
  return states;
}

const NOT_HERE: Offer = {
  available: undefined,
  newest: undefined,
  isOther: { reason: 'it is neither locked nor here yet' },
};

/** What `up` would use without asking anybody. */
async function findCurrent(reference: BoxReference, services: Services): Promise<CurrentBox | undefined> {
  const box = await findHere(reference, services);
  return box && { version: box.version, sha256: box.digest, source: box.source };
}

async function findHere(reference: BoxReference, services: Services): Promise<Box | undefined> {
  switch (reference.kind) {
    case 'name':
      return services.boxes.find(reference.name, reference.version);
    case 'path':
      // What it holds is taken as it is until it is locked.
      return undefined;
    case 'url':
      return recallUrl({ ...reference, urls: [reference.url] }, importTools(services));
    case 'oci':
      return recallOci(reference.reference, importTools(services));
  }
}
