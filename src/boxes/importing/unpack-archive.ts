import { join } from 'node:path';
import { VmError } from '../../errors.ts';
import { printableName } from '../archives/member-name.ts';
import type { SparseChunk } from '../archives/sparse-map.ts';
import { readTar } from '../archives/tar-reader.ts';
import { writeSparse } from '../archives/write-sparse.ts';
import { MAX_DISKS } from '../box-file.ts';
import { countOvfMachines, ovfDiskFiles } from '../formats/ovf.ts';
import { missingMetadata, parseBoxMetadata } from '../vagrant/box-metadata.ts';

/** A disk image that was taken out of an archive. */
export interface UnpackedDisk {
  readonly path: string;
  /** Its name in the archive. */
  readonly name: string;
}

export interface UnpackedArchive {
  /** In the order of the guest's devices, the root disk first; never empty, nor more than a box can have. */
  readonly disks: readonly UnpackedDisk[];
  /** Of a Vagrant box. */
  readonly vagrant: { readonly privateKey: string | undefined } | undefined;
}

export interface Archive {
  readonly content: AsyncIterable<Uint8Array>;
  readonly shownAs: string;
  /** A folder that the images are written into. */
  readonly dir: string;
  readonly signal: AbortSignal;
}

/** No disk image is smaller; no text that is read here is larger than the other. */
const MIN_IMAGE_BYTES = 64 * 1024;
const MAX_TEXT_BYTES = 1024 * 1024;

const METADATA = 'metadata.json';
const PRIVATE_KEY = 'vagrant_private_key';
/** In boxes for VirtualBox, of which the first have no metadata. */
const VIRTUALBOX_DESCRIPTOR = 'box.ovf';

/**
 * Takes the disk images out of a Vagrant box, an OVA, or an archive around a single image. Nothing else in it is written
 * anywhere, and nothing in it is executed: a box's Vagrantfile is not looked at.
 * @throws VmError if it is none of these, or `readTar` refuses it.
 */
export async function unpackArchive({ content, shownAs, dir, signal }: Archive): Promise<UnpackedArchive> {
  const texts = new Map<string, string>();
  const images = new Map<string, UnpackedDisk>();
  const names: string[] = [];
  await readTar(
    content,
    async ({ name, sizeBytes }, chunks) => {
      names.push(name);
      if (name === METADATA || name === PRIVATE_KEY || name.endsWith('.ovf')) {
        if (sizeBytes > MAX_TEXT_BYTES) throw new VmError(`${name} in ${shownAs} is too large to be what it is called`);
        texts.set(name, await readText(chunks, sizeBytes));
      } else if (sizeBytes >= MIN_IMAGE_BYTES) {
        const path = join(dir, `member-${images.size}`);
        await writeSparse(path, chunks, { sizeBytes, signal });
        images.set(name, { name, path });
      }
    },
    { shownAs },
  );
  const metadata = texts.get(METADATA);
  if (metadata !== undefined) {
    const names = parseBoxMetadata(metadata, shownAs).disks.map(({ path }) => path);
    return {
      disks: imagesNamed(names, images, { shownAs, namedIn: METADATA }),
      vagrant: { privateKey: texts.get(PRIVATE_KEY) },
    };
  }
  const descriptor = [...texts.keys()].find((name) => name.endsWith('.ovf') && name !== VIRTUALBOX_DESCRIPTOR);
  if (descriptor !== undefined) {
    const names = readDescriptor(texts.get(descriptor) ?? '', `${descriptor} in ${shownAs}`);
    return { disks: imagesNamed(names, images, { shownAs, namedIn: descriptor }), vagrant: undefined };
  }
  // Some publish an image in an archive of its own, to keep its holes.
  const [only, ...others] = images.values();
  if (only === undefined || others.length > 0 || texts.has(VIRTUALBOX_DESCRIPTOR)) {
    throw missingMetadata(names, shownAs);
  }
  return { disks: [only], vagrant: undefined };
}

/** The names of a machine's disks. @throws VmError if there are none, or they are those of several machines. */
function readDescriptor(text: string, shownAs: string): string[] {
  const machines = countOvfMachines(text);
  if (machines > 1) {
    throw new VmError(`${shownAs} describes ${machines} machines, and a box is of one`, {
      hint: 'extract it and give the disk of the one you want as the box',
    });
  }
  const names = ovfDiskFiles(text);
  if (names.length === 0) throw new VmError(`${shownAs} names no disk`);
  return names;
}

/** @throws VmError if one is not there, or is named twice, or they are more than a box can have. */
function imagesNamed(
  names: readonly string[],
  images: ReadonlyMap<string, UnpackedDisk>,
  { shownAs, namedIn }: { shownAs: string; namedIn: string },
): UnpackedDisk[] {
  if (names.length > MAX_DISKS) {
    throw new VmError(`${shownAs} has ${names.length} disks, and a box can have ${MAX_DISKS}`, {
      hint: 'extract it and pack it again with fewer',
    });
  }
  const found = new Set<UnpackedDisk>();
  for (const name of names) {
    const image = images.get(name.replace(/^\.\//, ''));
    if (image === undefined) {
      throw new VmError(`${shownAs} is not whole: ${namedIn} names ${printableName(name)}, which is not in it`, {
        hint: 'get it again, and compare its checksum',
      });
    }
    if (found.has(image)) {
      throw new VmError(`${shownAs} cannot be used: ${namedIn} names ${printableName(name)} for several disks`, {
        hint: 'extract it and pack it again with a copy for each',
      });
    }
    found.add(image);
  }
  return [...found];
}

async function readText(chunks: AsyncIterable<SparseChunk>, sizeBytes: number): Promise<string> {
  const text = Buffer.alloc(sizeBytes);
  for await (const { offset, bytes } of chunks) text.set(bytes, offset);
  return text.toString('utf8');
}
