import { catalogPath, readImageCatalog } from '../boxes/image-catalog.ts';
import type { CatalogEntry } from '../boxes/image-catalog-text.ts';
import { findRecipe, type Recipe } from '../boxes/recipe.ts';
import { HttpStatusError } from '../http/http-errors.ts';
import { shownUrl } from '../http/shown-url.ts';
import type { Services } from './services.ts';

/** Where the box of some name is to be had. */
export type NameSource =
  | { readonly kind: 'recipe'; readonly recipe: Recipe }
  | { readonly kind: 'catalog'; readonly path: string; readonly entry: CatalogEntry }
  | {
      readonly kind: 'server';
      /** As people know it. */
      readonly server: string;
      /** Of the name; the second is where older servers have it. */
      readonly urls: readonly [string, string];
    };

/** What finding one takes. */
export type NameServices = Pick<Services, 'dirs' | 'recipesDir' | 'vagrantServerUrl' | 'openHttp' | 'signal'>;

/**
 * What a name means that no box here has: what the user has configured comes before what comes with vm, and building
 * before downloading.
 *
 * 1. the user's own catalog, `catalog.yaml` in VM_HOME
 * 2. a recipe
 * 3. the Vagrant server, where there is one. It may have any name with a `/` in it; where the catalog that comes with vm
 *    has the name, too, the server is asked first whether it knows it
 * 4. the catalog that comes with vm
 *
 * Which one it is never depends on what can be reached: a server that does not answer is an error.
 * @throws MachinefileError for a catalog or recipe with mistakes; HttpError; InterruptedError.
 */
export async function findNameSource(name: string, services: NameServices): Promise<NameSource | undefined> {
  const [source, otherwise] = await findLikelySources(name, services);
  if (source?.kind !== 'server' || otherwise === undefined) return source;
  return (await isKnown(source.urls, services)) ? source : otherwise;
}

/** The same as far as it is known without asking a server: what the name means, and what if the server does not know it. */
export async function findLikelySources(
  name: string,
  services: Omit<NameServices, 'openHttp' | 'signal'>,
): Promise<[source?: NameSource, otherwise?: NameSource]> {
  const own = await findInCatalog(name, ownCatalogPath(services));
  if (own !== undefined) return [own];
  const recipe = await findRecipe(services.recipesDir, name);
  if (recipe !== undefined) return [{ kind: 'recipe', recipe }];
  const shipped = await findInCatalog(name, shippedCatalogPath(services));
  const server = findOnServer(name, services);
  return [server, shipped].filter((source) => source !== undefined) as [NameSource?, NameSource?]; // two at most
}

export function ownCatalogPath({ dirs }: Pick<Services, 'dirs'>): string {
  return catalogPath(dirs.homeDir);
}

export function shippedCatalogPath({ recipesDir }: Pick<Services, 'recipesDir'>): string {
  return catalogPath(recipesDir);
}

async function findInCatalog(name: string, path: string): Promise<NameSource | undefined> {
  const entry = (await readImageCatalog(path)).get(name);
  return entry && { kind: 'catalog', path, entry };
}

/** Vagrant's names are `organisation/box`. */
function findOnServer(
  name: string,
  { vagrantServerUrl }: Pick<NameServices, 'vagrantServerUrl'>,
): Extract<NameSource, { kind: 'server' }> | undefined {
  if (vagrantServerUrl === undefined || !name.includes('/')) return undefined;
  const server = vagrantServerUrl.replace(/\/+$/, '');
  return { kind: 'server', server: shownUrl(server), urls: [`${server}/api/v2/vagrant/${name}`, `${server}/${name}`] };
}

const NOT_FOUND = 404;

async function isKnown(urls: readonly string[], { openHttp, signal }: NameServices): Promise<boolean> {
  await using client = await openHttp();
  for (const url of urls) {
    const response = await client.request({ url, signal });
    await response.discard();
    if (response.status === 200) return true;
    if (response.status !== NOT_FOUND) throw new HttpStatusError(url, response);
  }
  return false;
}
