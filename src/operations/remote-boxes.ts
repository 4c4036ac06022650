import { readImageCatalog } from '../boxes/image-catalog.ts';
import type { CatalogEntry } from '../boxes/image-catalog-text.ts';
import { listRecipes, type Recipe } from '../boxes/recipe.ts';
import type { Arch } from '../machinefile/spec.ts';
import { ownCatalogPath, shippedCatalogPath } from './box-names.ts';
import type { Services } from './services.ts';

/** What has a name, in the order in which it is asked. */
export type RemoteSource = 'own_catalog' | 'recipe' | 'catalog';

/** A box that can be had by its name. */
export interface RemoteBox {
  readonly name: string;
  readonly description: string;
  /** Absent where the same address has another image from time to time. */
  readonly version: string | undefined;
  /** The login user; absent: as for every other image. */
  readonly user: string | undefined;
  readonly images: readonly RemoteImage[];
  /** All that have it; the first is what is used. */
  readonly sources: readonly RemoteSource[];
  /** Whether a box of this name is in the store. */
  readonly isHere: boolean;
}

export interface RemoteImage {
  readonly arch: Arch;
  /** Where it is downloaded, and as what; absent for what is built here. */
  readonly download: { readonly url: string; readonly format: string } | undefined;
}

/**
 * What the user's catalog, the recipes and the catalog that comes with vm have, by name; asks no server.
 * @throws MachinefileError for a catalog or recipe with mistakes.
 */
export async function listRemoteBoxes(services: Services): Promise<RemoteBox[]> {
  const offers = [
    ...offersOf(await readImageCatalog(ownCatalogPath(services)), 'own_catalog'),
    ...(await listRecipes(services.recipesDir)).map(offerOfRecipe),
    ...offersOf(await readImageCatalog(shippedCatalogPath(services)), 'catalog'),
  ];
  const here = new Set((await services.boxes.list()).flatMap(({ box }) => (box.isNamed ? [box.name] : [])));
  const byName = new Map<string, RemoteBox>();
  for (const { source, ...offer } of offers) {
    const first = byName.get(offer.name);
    const added = first ?? { ...offer, sources: [], isHere: here.has(offer.name) };
    byName.set(offer.name, { ...added, sources: [...added.sources, source] });
  }
  return [...byName.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

type Offer = Omit<RemoteBox, 'sources' | 'isHere'> & { readonly source: RemoteSource };

function offersOf(catalog: ReadonlyMap<string, CatalogEntry>, source: RemoteSource): Offer[] {
  return [...catalog].map(([name, { description, version, user, images }]) => ({
    name,
    description,
    version,
    user,
    images: [...images].map(([arch, { url, format }]) => ({ arch, download: { url, format } })),
    source,
  }));
}

function offerOfRecipe({ name, description, version, user, arch }: Recipe): Offer {
  return { name, description, version, user, images: [{ arch, download: undefined }], source: 'recipe' };
}
