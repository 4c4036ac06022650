import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** As `arch` of a catalog.yaml: what this host has, and what it has not. */
export const [HOST_ARCH, OTHER_ARCH] =
  process.arch === 'arm64' ? (['aarch64', 'x86_64'] as const) : (['x86_64', 'aarch64'] as const);

/** An image for this host. */
export interface CatalogImage {
  readonly url: string;
  readonly checksum: string;
  readonly mirrors?: readonly string[];
  readonly format?: string;
  readonly arch?: string;
  readonly user?: string;
  readonly version?: string;
}

/** Writes the user's own catalog, with an image under each of the names. */
export async function writeOwnCatalog(homeDir: string, images: Readonly<Record<string, CatalogImage>>): Promise<void> {
  const boxes = Object.entries(images).map(([name, image]) => {
    const { arch = HOST_ARCH, format = 'raw', user, version, ...rest } = image;
    return [name, { description: `The box ${name}`, user, version, images: { [arch]: { ...rest, format } } }];
  });
  await mkdir(homeDir, { recursive: true });
  // JSON is YAML.
  await writeFile(join(homeDir, 'catalog.yaml'), JSON.stringify({ boxes: Object.fromEntries(boxes) }));
}
