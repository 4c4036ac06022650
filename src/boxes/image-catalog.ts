import { join } from 'node:path';
import { VmError } from '../errors.ts';
import { readTextIfExists } from '../host/files.ts';
import type { Arch } from '../machinefile/spec.ts';
import { type CatalogEntry, type CatalogImage, type ImageCatalog, parseImageCatalog } from './image-catalog-text.ts';

const CATALOG_FILE = 'catalog.yaml';

/** Where the catalog is that comes with vm, beside the recipes; or the user's own, in VM_HOME. */
export function catalogPath(folder: string): string {
  return join(folder, CATALOG_FILE);
}

/** Empty where there is no such file. @throws MachinefileError for one with mistakes. */
export async function readImageCatalog(path: string): Promise<ImageCatalog> {
  const yaml = await readTextIfExists(path);
  return yaml === undefined ? new Map() : parseImageCatalog({ file: path, yaml });
}

/** The image for hosts of this kind. @throws VmError which says for which there are images. */
export function imageFor(name: string, { images }: CatalogEntry, arch: Arch): CatalogImage {
  const image = images.get(arch);
  if (image !== undefined) return image;
  throw new VmError(`${name} has no image for ${arch}, only for ${[...images.keys()].join(', ')}`, {
    hint: 'choose another box, or add an image for this one to catalog.yaml in VM_HOME: boxes/README.md says how',
  });
}
