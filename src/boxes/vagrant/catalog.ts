import { VmError } from '../../errors.ts';
import { type Checksum, parseChecksum } from '../../http/checksum.ts';
import { isVersion } from '../../machinefile/versions.ts';
import {
  findFlag,
  findObjects,
  findText,
  type JsonObject,
  mistake,
  parseJsonObject,
  readText,
} from './json-document.ts';

/** Which versions of a box there are, for whom, and where: what a Vagrant server answers for `org/name`. */
export interface VagrantCatalog {
  /** As the catalog says; where it does not, what it is shown as. */
  readonly name: string;
  /** In the order of the document. */
  readonly versions: readonly CatalogVersion[];
}

export interface CatalogVersion {
  /** Well-formed. */
  readonly version: string;
  readonly boxes: readonly CatalogBox[];
}

export interface CatalogBox {
  readonly provider: string;
  /** As written: may be relative to the catalog's own. */
  readonly url: string;
  readonly checksum: Checksum | undefined;
  /** In Vagrant's words: amd64, arm64, unknown, …; absent in catalogs older than Vagrant 2.4. */
  readonly architecture: string | undefined;
  readonly isDefaultArchitecture: boolean | undefined;
}

/** Vagrant takes larger files for boxes. */
export const CATALOG_MAX_BYTES = 20 * 2 ** 20;

const HINT = 'ask its publisher to correct the catalog; until then give the URL of a .box file as the box';

/**
 * Reads a catalog. Fields that are not known do not matter; versions with malformed numbers are passed over.
 * @param shownAs its URL or path, for messages.
 * @throws VmError which names the place of what is wrong.
 */
export function parseCatalog(text: string, shownAs: string): VagrantCatalog {
  if (Buffer.byteLength(text) > CATALOG_MAX_BYTES) {
    throw new VmError(`${shownAs} is no catalog of boxes: it has more than 20 MiB`, { hint: HINT });
  }
  const root = parseJsonObject(text, { shownAs, hint: HINT });
  if (!root.fields.has('versions')) throw mistake(root, 'versions', 'is missing');
  return {
    name: findText(root, 'name') ?? shownAs,
    versions: findObjects(root, 'versions').flatMap(parseVersion),
  };
}

function parseVersion(object: JsonObject): CatalogVersion[] {
  const version = readText(object, 'version').trim();
  return isVersion(version) ? [{ version, boxes: findObjects(object, 'providers').map(parseBox) }] : [];
}

function parseBox(object: JsonObject): CatalogBox {
  return {
    provider: readText(object, 'name'),
    url: readText(object, 'url'),
    checksum: findChecksum(object),
    architecture: findText(object, 'architecture'),
    isDefaultArchitecture: findFlag(object, 'default_architecture'),
  };
}

/** Like Vagrant, passes over a checksum without a type, and a type without a checksum. */
function findChecksum(object: JsonObject): Checksum | undefined {
  const type = findText(object, 'checksum_type')?.trim();
  const hex = findText(object, 'checksum')?.trim();
  if (type === undefined || hex === undefined) return undefined;
  const checksum = parseChecksum(`${type}:${hex}`);
  if (checksum === undefined) throw mistake(object, 'checksum', `is not a checksum of the type “${type}”`);
  return checksum;
}
