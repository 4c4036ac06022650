import { MachinefileError } from '../errors.ts';
import { parseWantedChecksum, type WantedChecksum } from '../http/checksum.ts';
import { isBoxName } from '../machinefile/forms/box.ts';
import type { Arch } from '../machinefile/spec.ts';
import { isVersion } from '../machinefile/versions.ts';
import {
  type Fields,
  findUnknownKeys,
  mapOf,
  mapping,
  matching,
  optional,
  readFields,
  readTree,
  text,
  textAs,
  textsAs,
  type YamlSource,
} from './yaml-fields.ts';

/** A box that is somebody's published image: an entry of a catalog.yaml; boxes/README.md explains each key. */
export interface CatalogEntry {
  readonly description: string;
  /** Absent where the same address has another image from time to time. */
  readonly version: string | undefined;
  /** The login user; absent: as for every other image. */
  readonly user: string | undefined;
  readonly images: ReadonlyMap<Arch, CatalogImage>;
}

export interface CatalogImage {
  readonly url: string;
  /** Other addresses of the same file, tried in order. */
  readonly mirrors: readonly string[] | undefined;
  readonly checksum: WantedChecksum;
  /** For people; what is downloaded is told by its first bytes. */
  readonly format: string;
}

/** By the names of boxes. */
export type ImageCatalog = ReadonlyMap<string, CatalogEntry>;

const ARCHES: readonly Arch[] = ['x86_64', 'aarch64'];
const URL_EXPECTED = 'an http:// or https:// URL';

const IMAGE_FIELDS: Fields<CatalogImage> = {
  url: textAs(parseUrl, URL_EXPECTED),
  mirrors: optional(textsAs(parseUrl, 'a list of URLs')),
  checksum: textAs(parseWantedChecksum, 'sha256:HEX, sha512:HEX, or the URL of a list such as SHA256SUMS'),
  format: matching(
    /^((qcow2|raw|vmdk|vdi|vhdx?)(\.(gz|xz|zst|bz2))?|ova|box)$/,
    'qcow2, raw, vmdk, vdi, vhd, vhdx, such a one with .gz, .xz, .zst or .bz2 behind it, ova or box',
  ),
};

const ENTRY_FIELDS: Fields<CatalogEntry> = {
  description: text,
  version: optional(textAs((version) => (isVersion(version) ? version : undefined), 'a version such as 1.2.0')),
  user: optional(matching(/^[a-z_][a-z0-9_-]*$/, 'the name of a user')),
  images: mapOf(
    {
      expected: `an architecture (${ARCHES.join(', ')})`,
      parse: (name) => ARCHES.find((arch) => arch === name),
    },
    mapping(IMAGE_FIELDS, 'a mapping with url, checksum and format'),
    'a mapping of architectures to images',
  ),
};

const CATALOG_FIELDS: Fields<{ readonly boxes: ImageCatalog }> = {
  boxes: mapOf(
    { expected: 'a name for a box, such as debian/12', parse: (name) => (isBoxName(name) ? name : undefined) },
    mapping(ENTRY_FIELDS, 'a mapping with description and images'),
    'a mapping of names to boxes',
  ),
};

/**
 * Reads the text of a catalog.yaml.
 * @throws MachinefileError with every mistake at once.
 */
export function parseImageCatalog(source: YamlSource): ImageCatalog {
  const { tree, problems } = readTree(source);
  const mistakes = [...problems, ...findUnknownKeys(tree, CATALOG_FIELDS)];
  const catalog = readFields(tree, CATALOG_FIELDS, mistakes);
  if (catalog === undefined || mistakes.length > 0) throw new MachinefileError(mistakes);
  return catalog.boxes;
}

function parseUrl(url: string): string | undefined {
  return /^https?:\/\/./.test(url) && URL.canParse(url) ? url : undefined;
}
