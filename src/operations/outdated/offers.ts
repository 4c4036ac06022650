import { imageFor } from '../../boxes/image-catalog.ts';
import { contentVersion } from '../../boxes/importing/content-version.ts';
import type { OciTools } from '../../boxes/importing/import-oci.ts';
import { checkReadable } from '../../boxes/importing/import-path.ts';
import { sourceAt } from '../../boxes/importing/source-text.ts';
import { Registry } from '../../boxes/oci/registry.ts';
import { fingerprintOf } from '../../boxes/recipe-files.ts';
import { fetchCatalog } from '../../boxes/vagrant/fetch-catalog.ts';
import { findCatalog } from '../../boxes/vagrant/find-catalog.ts';
import { VmError } from '../../errors.ts';
import { sha256OfFile } from '../../host/files.ts';
import { parseReference } from '../../machinefile/oci-reference.ts';
import type { BoxReference } from '../../machinefile/spec.ts';
import { type Constraint, satisfies } from '../../machinefile/versions.ts';
import { findNameSource, type NameSource } from '../box-names.ts';
import { importTools } from '../box-sources.ts';
import type { Services } from '../services.ts';
import { offerOfCatalog } from './catalog-offer.ts';
import { offerOfFile } from './file-offer.ts';
import { type CurrentBox, notAllowed, type Offer } from './offer.ts';

/**
 * What there is in place of the current box, where the reference says; no image is downloaded.
 * @throws VmError if its source has nothing any more, or cannot be asked; InterruptedError.
 */
export async function findOffer(reference: BoxReference, current: CurrentBox, services: Services): Promise<Offer> {
  switch (reference.kind) {
    case 'name':
      return offerOfName(reference, await findNameSource(reference.name, services), { current, services });
    case 'path':
      return offerOfPath(reference, current, services);
    case 'url':
      return offerAt([reference.url], reference, { current, services });
    case 'oci':
      return offerOfRegistry(reference.reference, current, importTools(services));
  }
}

type Named = Extract<BoxReference, { kind: 'name' }>;
type Asked = Pick<Extract<BoxReference, { kind: 'url' }>, 'version' | 'checksum'>;

interface Now {
  readonly current: CurrentBox;
  readonly services: Services;
}

async function offerOfName(
  { name, version }: Named,
  source: NameSource | undefined,
  { current, services }: Now,
): Promise<Offer> {
  switch (source?.kind) {
    case 'recipe': {
      const { recipe } = source;
      if (!allows(version, recipe.version)) return notAllowed(current, recipe.version);
      const isOther = (await fingerprintOf(recipe)) !== current.sha256;
      return { available: recipe.version, newest: undefined, isOther };
    }
    case 'catalog': {
      const { entry } = source;
      if (!allows(version, entry.version)) return notAllowed(current, entry.version);
      const image = imageFor(name, entry, services.arch);
      return offerOfFile({ ...image, version: entry.version }, current, importTools(services));
    }
    case 'server':
      return offerAt(source.urls, { version, checksum: undefined }, { current, services });
    case undefined:
      return offerOfStore({ name, version }, { current, services });
  }
}

function allows(constraint: Constraint | undefined, version: string | undefined): boolean {
  return constraint === undefined || (version !== undefined && satisfies(version, constraint));
}

/** A box that was added by hand, or made of a machine: only the store has it. */
async function offerOfStore(
  { name, version }: Pick<Named, 'name' | 'version'>,
  { current, services }: Now,
): Promise<Offer> {
  const found = await services.boxes.find(name, version);
  if (found === undefined) {
    const reason = 'it was added by its name on another host, and nothing here has that';
    return { available: undefined, newest: undefined, isOther: { reason } };
  }
  const newest = (await services.boxes.find(name))?.version;
  return {
    available: found.version,
    newest: newest === found.version ? undefined : newest,
    isOther: found.digest !== current.sha256,
  };
}

/** An address has the box itself, as the current one was, or a catalog that names it. */
async function offerAt(
  urls: readonly [string, ...string[]],
  { version, checksum }: Asked,
  { current, services }: Now,
): Promise<Offer> {
  const url = urls.find((candidate) => current.source === sourceAt(candidate));
  if (url !== undefined) return offerOfFile({ url, checksum, version: undefined }, current, importTools(services));
  await using client = await services.openHttp();
  const catalog = await fetchCatalog(urls, { client, signal: services.signal });
  return offerOfCatalog(catalog, { version, arch: services.arch }, current);
}

async function offerOfPath(
  { path, version }: Extract<BoxReference, { kind: 'path' }>,
  current: CurrentBox,
  { arch, signal }: Services,
): Promise<Offer> {
  await checkReadable(path);
  const catalog = await findCatalog(path, path);
  if (catalog !== undefined) return offerOfCatalog(catalog, { version, arch }, current);
  const sha256 = await sha256OfFile(path, signal);
  return { available: contentVersion(sha256), newest: undefined, isOther: sha256 !== current.sha256 };
}

/** What a tag means by now. */
async function offerOfRegistry(text: string, { version, sha256 }: CurrentBox, tools: OciTools): Promise<Offer> {
  const { context, dockerConfigPath } = tools;
  const reference = parseReference(text);
  await using client = await tools.openHttp();
  const registry = new Registry(reference, { access: 'pull', client, context, subject: text, dockerConfigPath });
  const digest = await registry.findDigest();
  if (digest === undefined) {
    throw new VmError(`there is no ${text} in the registry any more`, { hint: 'push it again, or choose another tag' });
  }
  // A tag is what the version of a pulled box is.
  return { available: version, newest: undefined, isOther: digest !== `sha256:${sha256}` };
}
