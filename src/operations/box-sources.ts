import { join } from 'node:path';
import type { Box } from '../boxes/box.ts';
import { buildBox } from '../boxes/build.ts';
import { imageFor } from '../boxes/image-catalog.ts';
import type { CatalogEntry } from '../boxes/image-catalog-text.ts';
import type { BoxCalling } from '../boxes/importing/import.ts';
import { ImportMemory } from '../boxes/importing/import-memory.ts';
import type { OciTools } from '../boxes/importing/import-oci.ts';
import { listRecipes } from '../boxes/recipe.ts';
import { VmError } from '../errors.ts';
import { shownUrl } from '../http/shown-url.ts';
import type { BoxReference } from '../machinefile/spec.ts';
import { type Constraint, satisfies } from '../machinefile/versions.ts';
import { findNameSource } from './box-names.ts';
import { listRemoteBoxes } from './remote-boxes.ts';
import type { Services } from './services.ts';

/**
 * The box that is meant: in the store, or made of its file; a name that no box here has means what `findNameSource` says.
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

interface NamedBox {
  readonly name: string;
  readonly version: Constraint | undefined;
}

async function makeNamed(wanted: NamedBox, renew: boolean, services: Services): Promise<Box> {
  const { name, version } = wanted;
  const source = await findNameSource(name, services);
  switch (source?.kind) {
    case 'recipe':
      checkMakes(wanted, source.recipe.version, 'its recipe makes');
      return build(name, { force: false, services });
    case 'catalog':
      return fromCatalog(wanted, { ...source, renew }, services);
    case 'server': {
      tell(name, `asking ${source.server} for it`, services);
      const { importUrl } = await importing();
      // It is called as it is asked for, whatever the server says.
      const called = { name, version: UNVERSIONED, isNamed: true };
      return importUrl({ urls: source.urls, checksum: undefined, version, called, renew }, importTools(services));
    }
    case undefined: {
      const added = await services.boxes.find(name, version);
      if (added !== undefined) return added;
      throw await noSuchBox(name, services);
    }
  }
}

/** The image of a catalog for this host. */
async function fromCatalog(
  wanted: NamedBox,
  { entry, path, renew }: { readonly entry: CatalogEntry; readonly path: string; readonly renew: boolean },
  services: Services,
): Promise<Box> {
  const { name } = wanted;
  checkMakes(wanted, entry.version, `${path} has`);
  const { url, mirrors = [], checksum } = imageFor(name, entry, services.arch);
  tell(name, `using ${shownUrl(url)}, as ${path} says`, services);
  const { importUrl } = await importing();
  const called = { name, version: entry.version, isNamed: true, user: entry.user };
  return importUrl({ urls: [url, ...mirrors], checksum, version: undefined, called, renew }, importTools(services));
}

/** Says which of its sources a name means. */
function tell(name: string, text: string, { reporter }: Services): void {
  reporter.report({ type: 'message', level: 'info', subject: name, text });
}

/** @throws VmError if what makes the box makes another version than is wanted. */
function checkMakes({ name, version }: NamedBox, made: string | undefined, whoMakes: string): void {
  if (version === undefined || (made !== undefined && satisfies(made, version))) return;
  const what = made === undefined ? 'an image without a version' : made;
  const use = made === undefined ? 'leave the version away' : `use ${name}@${made}, or leave the version away`;
  throw new VmError(`there is no version ${version.text} of the box ${name}; ${whoMakes} ${what}`, {
    hint: `${use}; where Machinefile.lock has the version: vm box update ${name}`,
  });
}

/** What looking for boxes elsewhere, and taking them into the store, works with. */
export function importTools(services: Services): OciTools {
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
  const names = (await listRecipes(recipesDir)).map((recipe) => recipe.name);
  if (!names.includes(name)) {
    throw new VmError(`there is no recipe for a box called ${name}`, { hint: `recipes: ${names.join(', ')}` });
  }
  return buildBox({ recipesDir, name, force }, { store, context: services });
}

/** The error of a name that no box here has, with the names that there are. */
export async function noSuchBox(name: string, services: Services): Promise<VmError> {
  const remote = (await listRemoteBoxes(services)).map((box) => box.name);
  if (remote.includes(name)) {
    return new VmError(`the box ${name} is not here yet`, { hint: 'vm up gets it for a machine that asks for it' });
  }
  const here = (await services.boxes.list()).map(({ box }) => box.name);
  return new VmError(`there is no box called ${name}`, {
    hint: `boxes: ${[...new Set([...here, ...remote])].sort().join(', ')}`,
  });
}
