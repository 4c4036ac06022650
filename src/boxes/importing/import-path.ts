import { access, constants } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VmError } from '../../errors.ts';
import { systemErrorCode } from '../../host/files.ts';
import { kindOfPath } from '../../host/path-kind.ts';
import type { Checksum, WantedChecksum } from '../../http/checksum.ts';
import { Digests } from '../../http/digests.ts';
import type { Constraint } from '../../machinefile/versions.ts';
import type { Box } from '../box.ts';
import { findCatalog } from '../vagrant/find-catalog.ts';
import { checkVersion, chooseFrom } from './choose-from-catalog.ts';
import { type BoxCalling, importBox } from './import.ts';
import { fileIdentity } from './import-memory.ts';
import { type DownloadingTools, importUrl } from './import-url.ts';
import { findChecksum } from './wanted-checksum.ts';

export interface LocalFile {
  /** Absolute. */
  readonly path: string;
  readonly checksum: WantedChecksum | undefined;
  /** Of the box in it, where it is a catalog. */
  readonly version: Constraint | undefined;
  /** Default: as the file or the catalog says; of a catalog's box, the version is the catalog's in any case. */
  readonly called?: BoxCalling | undefined;
}

/**
 * The box made of a file of the user's, or of the one that a Vagrant catalog there names; from the store, if the file is
 * as it was.
 * @throws VmError as `importBox` does, if the file is not what its checksum says, or a catalog has no such box.
 */
export async function importPath(file: LocalFile, tools: DownloadingTools): Promise<Box> {
  const { memory, store } = tools;
  const { path, checksum, version, called } = file;
  await checkReadable(path);
  const identity = JSON.stringify([await fileIdentity(path), checksum, version?.text, called]);
  const known = await memory.recall(path, identity);
  if (known !== undefined && (await store.has(known))) return store.get(known);
  const wanted = await findChecksum(checksum, basename(path), tools);
  const sha256 = wanted && (await verify(path, wanted, tools.context.signal));
  const box = await importFile({ ...file, sha256 }, tools);
  await memory.remember(path, identity, box.key);
  return box;
}

async function importFile(
  { path, sha256, version, called }: LocalFile & { readonly sha256: string | undefined },
  tools: DownloadingTools,
): Promise<Box> {
  const catalog = await findCatalog(path, path);
  if (catalog === undefined) {
    checkVersion(path, { version, called });
    return importLocal({ path, sha256, called }, tools);
  }
  const { url, checksum, version: chosen } = chooseFrom(catalog, { version, arch: tools.arch });
  const calledInCatalog = { name: called?.name ?? catalog.name, version: chosen };
  if (/^https?:/.test(url)) {
    return importUrl({ urls: [url], checksum, version: undefined, called: calledInCatalog }, tools);
  }
  const boxPath = pathOf(url, path);
  await checkReadable(boxPath);
  const verified = checksum && (await verify(boxPath, checksum, tools.context.signal));
  return importLocal({ path: boxPath, sha256: verified, called: calledInCatalog }, tools);
}

interface VerifiedFile {
  readonly path: string;
  /** Absent: not known yet. */
  readonly sha256: string | undefined;
  readonly called: BoxCalling | undefined;
}

function importLocal({ path, sha256, called }: VerifiedFile, tools: DownloadingTools): Promise<Box> {
  const file = { path, shownAs: path, sha256, isOurs: false };
  return importBox({ file, fileName: basename(path), called, source: `imported from ${path}` }, tools);
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

async function checkReadable(path: string): Promise<void> {
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

/** Gives the SHA-256. @throws VmError if the file is another one. */
async function verify(path: string, { algorithm, hex }: Checksum, signal: AbortSignal): Promise<string> {
  const digests = await Digests.ofFile(path, new Set([algorithm, 'sha256'] as const), signal);
  const actual = digests.hex(algorithm);
  if (actual === hex) return digests.hex('sha256');
  throw new VmError(
    `${path} is not what its checksum says:\n  expected ${algorithm}:${hex}\n  it has   ${algorithm}:${actual}`,
    { hint: 'correct the checksum if you trust the file' },
  );
}
