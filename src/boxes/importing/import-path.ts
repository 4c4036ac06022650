import { access, constants } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VmError } from '../../errors.ts';
import { systemErrorCode } from '../../host/files.ts';
import { kindOfPath } from '../../host/path-kind.ts';
import type { WantedChecksum } from '../../http/checksum.ts';
import { Digests } from '../../http/digests.ts';
import type { Constraint } from '../../machinefile/versions.ts';
import type { Box } from '../box.ts';
import { findCatalog } from '../vagrant/find-catalog.ts';
import { callingOf, checkVersion, chooseFrom } from './choose-from-catalog.ts';
import { type BoxCalling, importBox } from './import.ts';
import { type DownloadingTools, importUrl } from './import-url.ts';
import { findKnownFile, identityOf } from './known-file.ts';
import { findChecksum } from './wanted-checksum.ts';

export interface LocalFile {
  /** Absolute. */
  readonly path: string;
  readonly checksum: WantedChecksum | undefined;
  /** Of the box in it, where it is a catalog. */
  readonly version: Constraint | undefined;
  /** Default: as the file or the catalog says; of a catalog's box, the version is the catalog's in any case. */
  readonly called?: BoxCalling | undefined;
  /** What a catalog calls the box is a name for it here, too. */
  readonly takesName?: boolean;
}

/**
 * The box made of a file of the user's, or of the one that a Vagrant catalog there names; from the store, if the file is
 * as it was.
 * @throws VmError as `importBox` does, if the file is not what its checksum says, or a catalog has no such box.
 */
export async function importPath(file: LocalFile, tools: DownloadingTools): Promise<Box> {
  const { path, checksum, version, called, takesName = false } = file;
  await checkReadable(path);
  const catalog = await findCatalog(path, path);
  if (catalog === undefined) {
    checkVersion(path, { version, called });
    return importUnlessKnown({ path, checksum, called }, tools);
  }
  await verify(path, checksum, tools);
  const chosen = chooseFrom(catalog, { version, arch: tools.arch });
  const calledInCatalog = callingOf(catalog, chosen, { called, takesName });
  const { url } = chosen;
  if (/^https?:/.test(url)) {
    return importUrl({ urls: [url], checksum: chosen.checksum, version: undefined, called: calledInCatalog }, tools);
  }
  const boxPath = pathOf(url, path);
  await checkReadable(boxPath);
  return importUnlessKnown({ path: boxPath, checksum: chosen.checksum, called: calledInCatalog }, tools);
}

interface BoxFile {
  readonly path: string;
  readonly checksum: WantedChecksum | undefined;
  readonly called: BoxCalling | undefined;
}

async function importUnlessKnown({ path, checksum, called }: BoxFile, tools: DownloadingTools): Promise<Box> {
  const { memory } = tools;
  const known = await findKnownFile({ path, checksum, called }, tools);
  if (known !== undefined) return known;
  const identity = await identityOf({ path, checksum, called });
  const sha256 = await verify(path, checksum, tools);
  const file = { path, shownAs: path, sha256, isOurs: false };
  const box = await importBox({ file, fileName: basename(path), called, source: `imported from ${path}` }, tools);
  await memory.remember(path, identity, box.key);
  return box;
}

/** @throws VmError if an address in a catalog is none of this host. */
function pathOf(url: string, catalogPath: string): string {
  try {
    return url.startsWith('file:') ? fileURLToPath(url) : resolve(dirname(catalogPath), url);
  } catch (cause) {
    throw new VmError(`${catalogPath} names ${url}, which is no file of this host`, {
      hint: 'correct the catalog',
      cause,
    });
  }
}

/** @throws VmError if there is no such file, or not for us. */
export async function checkReadable(path: string): Promise<void> {
  if ((await kindOfPath(path)) === 'folder') {
    throw new VmError(`${path} is a folder`, { hint: 'give the disk image, or the box, that is in it' });
  }
  await access(path, constants.R_OK).catch((cause: unknown) => {
    const isMissing = systemErrorCode(cause) === 'ENOENT';
    throw new VmError(`${path} ${isMissing ? 'does not exist' : 'cannot be read: permission denied'}`, {
      hint: isMissing ? 'correct the path, or the catalog that names it' : 'make the file readable for yourself',
      cause,
    });
  });
}

/** Gives the SHA-256; undefined where no checksum is wanted. @throws VmError if the file is another one. */
async function verify(
  path: string,
  wanted: WantedChecksum | undefined,
  tools: DownloadingTools,
): Promise<string | undefined> {
  const checksum = await findChecksum(wanted, basename(path), tools);
  if (checksum === undefined) return undefined;
  const { algorithm, hex } = checksum;
  const digests = await Digests.ofFile(path, new Set([algorithm, 'sha256'] as const), tools.context.signal);
  const actual = digests.hex(algorithm);
  if (actual === hex) return digests.hex('sha256');
  throw new VmError(
    `${path} is not what its checksum says:\n  expected ${algorithm}:${hex}\n  it has   ${algorithm}:${actual}`,
    { hint: 'correct the checksum if you trust the file' },
  );
}
