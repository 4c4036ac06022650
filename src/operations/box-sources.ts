import { join } from 'node:path';
import type { Box } from '../boxes/box.ts';
import { buildBox } from '../boxes/build.ts';
import type { BoxCalling } from '../boxes/importing/import.ts';
import { ImportMemory } from '../boxes/importing/import-memory.ts';
import type { OciTools } from '../boxes/importing/import-oci.ts';
import { findRecipe, listRecipes } from '../boxes/recipe.ts';
import { VmError } from '../errors.ts';
import type { BoxReference } from '../machinefile/spec.ts';
import { type Constraint, satisfies } from '../machinefile/versions.ts';
import type { Services } from './services.ts';

/**
 * The box that is meant: in the store, or made of its file, or built from the recipe of that name, or from the Vagrant
 * server where there is one.
 * @throws VmError if there is none.
 */
export async function ensureBox(reference: BoxReference, services: Services): Promise<Box> {
  if (reference.kind !== 'name') return fromPlace(reference, false, services);
  const found = await services.boxes.find(reference.name, reference.version);
  return found ?? (await makeNamed(reference, false, services));
}

/**
 * The newest that is meant: asks the server again, and builds anew what is made of something else by now.
 * @throws VmError if there is none.
 */
export async function renewBox(reference: BoxReference, services: Services): Promise<Box> {
  return reference.kind === 'name' ? makeNamed(reference, true, services) : fromPlace(reference, true, services);
}

type Place = Exclude<BoxReference, { kind: 'name' }>;

async function fromPlace(
  reference: Place,
  renew: boolean,
  services: Services,
  adding?: { readonly called: BoxCalling | undefined },
): Promise<Box> {
  const { importOci, importPath, importUrl } = await importing();
  const tools = importTools(services);
  const naming = { called: adding?.called, takesName: adding !== undefined };
  switch (reference.kind) {
    case 'path':
      return importPath({ ...reference, ...naming }, tools);
    case 'url':
      return importUrl({ ...reference, ...naming, urls: [reference.url], renew }, tools);
    case 'oci':
      return importOci({ reference: reference.reference, renew }, tools);
  }
}

/** Loaded when it is needed: most commands need no box, and `status` is about start-up time. */
function importing() {
  return import('../boxes/importing/index.ts');
}

/** Takes a file, or what is at an address, into the store; a file under a name of the user's where one is given. */
export function addBox(reference: Place, called: BoxCalling | undefined, services: Services): Promise<Box> {
  return fromPlace(reference, false, services, { called });
}

/** Of a box that is no catalog's, as in Vagrant. */
const UNVERSIONED = '0';

async function makeNamed(
  { name, version }: { readonly name: string; readonly version: Constraint | undefined },
  renew: boolean,
  services: Services,
): Promise<Box> {
  const recipe = await findRecipe(services.recipesDir, name);
  if (recipe !== undefined) {
    if (version === undefined || satisfies(recipe.version, version)) return build(name, { force: false, services });
    throw new VmError(`there is no version ${version.text} of the box ${name}; its recipe makes ${recipe.version}`, {
      hint: `use ${name}@${recipe.version}, or leave the version away`,
    });
  }
  const { vagrantServerUrl } = services;
  if (vagrantServerUrl === undefined || !name.includes('/')) {
    const added = await services.boxes.find(name, version);
    if (added !== undefined) return added;
    throw await noSuchBox(name, services);
  }
  const server = vagrantServerUrl.replace(/\/+$/, '');
  const { importUrl } = await importing();
  const urls = [`${server}/api/v2/vagrant/${name}`, `${server}/${name}`] as const;
  // It is called as it is asked for, whatever the server says.
  const called = { name, version: UNVERSIONED, isNamed: true };
  return importUrl({ urls: [...urls], checksum: undefined, version, called, renew }, importTools(services));
}

function importTools(services: Services): OciTools {
  const { dirs, boxes: store, arch, openHttp, dockerConfigPath } = services;
  return {
    store,
    arch,
    context: services,
    openHttp,
    dockerConfigPath,
    memory: new ImportMemory(join(dirs.homeDir, 'imports')),
    downloadsDir: join(dirs.homeDir, 'downloads'),
  };
}

/** Makes a box from its recipe; gives the one that is there where nothing it is made of has changed. */
export async function build(
  name: string,
  { force, services }: { readonly force: boolean; readonly services: Services },
): Promise<Box> {
  const { recipesDir, boxes: store } = services;
  if ((await findRecipe(recipesDir, name)) === undefined) throw await noSuchBox(name, services);
  return buildBox({ recipesDir, name, force }, { store, context: services });
}

/** The error of a name that nothing has, with the names that there are. */
export async function noSuchBox(name: string, { recipesDir, boxes }: Services): Promise<VmError> {
  const known = [
    ...(await boxes.list()).map(({ box }) => box.name),
    ...(await listRecipes(recipesDir)).map((recipe) => recipe.name),
  ];
  return new VmError(`there is no box called ${name}`, { hint: `boxes: ${[...new Set(known)].sort().join(', ')}` });
}
