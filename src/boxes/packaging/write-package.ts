import { createWriteStream } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { InterruptedError, UsageError } from '../../errors.ts';
import { asWriteError } from '../../host/files.ts';
import { isMakerAlive, isMakerName, nameOfMaker } from '../../host/maker.ts';
import type { ConversionTools } from '../formats/convert.ts';
import { type FlatFormat, flatten, type MachineDisk } from './flatten.ts';
import { type Appliance, ova } from './ova.ts';
import type { PackageFormat } from './package-format.ts';
import { vagrantBox } from './vagrant-box.ts';

export interface PackageInput extends Appliance {
  /** A machine's disks, the root disk first; they may stand on others. */
  readonly disks: readonly MachineDisk[];
  readonly format: PackageFormat;
  /** Absolute. What is there is replaced. */
  readonly destPath: string;
  /** For images that go into an archive; emptied by the caller. */
  readonly workDir: string;
}

/**
 * Writes disks as one file that needs nothing else: it is there when it is whole, and not before.
 * @throws UsageError if the format holds one disk only; VmError if the file cannot be written; InterruptedError.
 */
export async function writePackage(input: PackageInput, tools: ConversionTools): Promise<void> {
  const { destPath } = input;
  const besidePath = `${besidePrefix(destPath)}${nameOfMaker()}`;
  try {
    await removeAbandoned(destPath);
    await writeTo(besidePath, input, tools);
    await rename(besidePath, destPath);
  } catch (error) {
    throw asWriteError(destPath, error);
  } finally {
    await rm(besidePath, { force: true });
  }
}

/** While a file is written it has another name: this, and that of who writes it. */
function besidePrefix(destPath: string): string {
  return join(dirname(destPath), `.${basename(destPath)}.`);
}

/** Removes what killed processes wrote of the same file. */
async function removeAbandoned(destPath: string): Promise<void> {
  const prefix = basename(besidePrefix(destPath));
  for (const name of await readdir(dirname(destPath))) {
    const maker = name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
    if (maker !== undefined && isMakerName(maker) && !isMakerAlive(maker)) await rm(join(dirname(destPath), name));
  }
}

/** @throws UsageError if a format has no place for so many disks. */
export function checkDiskCount(format: PackageFormat, count: number): void {
  if (count === 1 || format === 'box' || format === 'ova') return;
  throw new UsageError(`a ${format} image holds one disk, and this machine has ${count}`, {
    hint: 'use --format box or --format ova',
  });
}

async function writeTo(path: string, input: PackageInput, tools: ConversionTools): Promise<void> {
  const { disks, format } = input;
  checkDiskCount(format, disks.length);
  const { signal } = tools.context;
  switch (format) {
    case 'box': {
      const flat = await flattenAll(input, 'qcow2', tools);
      return writeStream(await vagrantBox(flat), path, { isCompressed: true, signal });
    }
    case 'ova': {
      const flat = await flattenAll(input, 'stream-vmdk', tools);
      // What is in it is compressed already.
      return writeStream(await ova({ ...input, disks: flat }, signal), path, { isCompressed: false, signal });
    }
    default: {
      const [disk] = disks;
      if (disk !== undefined) await flatten(disk, { format, destPath: path }, tools);
    }
  }
}

async function flattenAll(
  { disks, workDir }: PackageInput,
  format: FlatFormat,
  tools: ConversionTools,
): Promise<MachineDisk[]> {
  const flat: MachineDisk[] = [];
  for (const [index, disk] of disks.entries()) {
    const path = join(workDir, `flat-${index}`);
    await flatten(disk, { format, destPath: path }, tools);
    flat.push({ ...disk, path });
  }
  return flat;
}

async function writeStream(
  content: AsyncIterable<Uint8Array>,
  path: string,
  { isCompressed, signal }: { readonly isCompressed: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const file = createWriteStream(path);
  try {
    if (isCompressed) await pipeline(content, createGzip(), file, { signal });
    else await pipeline(content, file, { signal });
  } catch (error) {
    throw signal.aborted ? new InterruptedError() : error;
  }
}
