import type { Box } from '../../boxes/box.ts';
import { UsageError } from '../../errors.ts';
import type { LayerListing, PendingListing } from '../../layers/layer.ts';
import { checkAllKnown, type MachineUser } from '../machine-users.ts';
import type { Services } from '../services.ts';
import { layerUsers } from './layer-users.ts';

/** What stands on a layer, or on a folder that is none yet. */
interface Standing {
  /** Machines whose disks stand directly on its. */
  readonly users: readonly MachineUser[];
  /** The ids of the layers whose disks stand directly on its. */
  readonly children: readonly string[];
}

export interface CachedLayer extends LayerListing, Standing {
  /** What all of it stands on; undefined where that is gone. */
  readonly box: Box | undefined;
}

/** What a command that makes a layer has begun, or a killed one has left. */
export interface UnfinishedLayer extends PendingListing, Standing {}

export interface Cache {
  /** Newest first. */
  readonly layers: readonly CachedLayer[];
  readonly unfinished: readonly UnfinishedLayer[];
  /** Throws a StateError where machines may stand on any layer. */
  checkUsersKnown(): void;
}

/** All layers of this user, and what stands on them. */
export async function listCache(services: Services): Promise<Cache> {
  // In the order in which a process that works on one leaves it: it writes it into the machine's record and may die; the
  // record names a layer until another has been published that stands on it. So none ever seems unused that is used.
  const pending = await services.layers.listPending();
  const users = await layerUsers(services);
  const listings = await services.layers.list();
  const boxes = new Map((await services.boxes.list()).map(({ box }) => [box.key, box]));
  const standingOn = (id: string): Standing => ({
    users: users.byKey.get(id) ?? [],
    children: listings.filter(({ layer }) => layer.baseId === id).map(({ layer }) => layer.id),
  });
  return {
    layers: listings.map((listing) => ({
      ...listing,
      ...standingOn(listing.layer.id),
      box: boxes.get(listing.layer.boxKey),
    })),
    unfinished: pending
      .filter(({ id }) => !listings.some(({ layer }) => layer.id === id))
      .map((listing) => ({ ...listing, ...standingOn(listing.id) })),
    checkUsersKnown: () => checkAllKnown('some layers', users),
  };
}

/** As much of an id or a key as lists show. */
export const SHORT_ID_LENGTH = 12;

/** The layers whose id or key begins so. @throws UsageError if there is none. */
export function layersNamed(name: string, { layers }: Cache): CachedLayer[] {
  const named = layers.filter(
    ({ layer }) => name.length >= SHORT_ID_LENGTH && (layer.id.startsWith(name) || layer.key.startsWith(name)),
  );
  if (named.length > 0) return named;
  throw new UsageError(`there is no layer ${name}`, {
    hint: `vm cache list shows them; a layer is named by the first ${SHORT_ID_LENGTH} digits of its key, or more`,
  });
}

/** The layer and those that its disks stand on, down to the box; as far as they are there. */
export function chainOf({ layer }: CachedLayer, { layers }: Cache): CachedLayer[] {
  const chain: CachedLayer[] = [];
  let next: string | undefined = layer.id;
  while (next !== undefined) {
    const found = layers.find((candidate) => candidate.layer.id === next);
    if (found !== undefined) chain.push(found);
    next = found?.layer.baseId;
  }
  return chain;
}
