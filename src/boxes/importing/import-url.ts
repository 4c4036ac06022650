import { rm } from 'node:fs/promises';
import { inPhase } from '../../context.ts';
import { sha256 as hashOf } from '../../host/files.ts';
import type { Checksum, WantedChecksum } from '../../http/checksum.ts';
import { type DownloadedFile, download } from '../../http/download.ts';
import type { HttpClient } from '../../http/http-client.ts';
import { shownUrl } from '../../http/shown-url.ts';
import type { Constraint } from '../../machinefile/versions.ts';
import type { Box } from '../box.ts';
import type { BoxStore } from '../store.ts';
import { findCatalog } from '../vagrant/find-catalog.ts';
import { callingOf, checkVersion, chooseFrom } from './choose-from-catalog.ts';
import { hasChecksum, rememberDownload } from './download-facts.ts';
import { type BoxCalling, type ImportTools, importBox, keyOf } from './import.ts';
import type { ImportMemory } from './import-memory.ts';
import { fileNameIn, sourceAt } from './source-text.ts';
import { findChecksum } from './wanted-checksum.ts';

export interface RemoteFile {
  /** The first is what the box is known by; the others are tried when it has nothing. */
  readonly urls: readonly [string, ...string[]];
  readonly checksum: WantedChecksum | undefined;
  /** Of the box in it, where it is a catalog. */
  readonly version: Constraint | undefined;
  /** Default: as the file or the catalog says; of a catalog's box, the version is the catalog's in any case. */
  readonly called?: BoxCalling | undefined;
  /** What a catalog calls the box is a name for it here, too. */
  readonly takesName?: boolean;
  /** Ask the server again, whatever is here already. */
  readonly renew?: boolean;
}

export interface DownloadingTools extends ImportTools {
  readonly memory: ImportMemory;
  /** Where files are until they are boxes. */
  readonly downloadsDir: string;
  openHttp(): Promise<HttpClient>;
}

/**
 * The box made of a file on a server, or of the one that a Vagrant catalog there names. What was fetched before is not
 * asked for again: an address means the same until the box is renewed.
 * @throws VmError as `download` and `importBox` do, and if a catalog has no such box.
 */
export async function importUrl(file: RemoteFile, tools: DownloadingTools): Promise<Box> {
  const { store, context, memory } = tools;
  const [url] = file.urls;
  const known = file.renew ? undefined : await recallUrl(file, tools);
  if (known !== undefined) return known;
  // Whoever waited finds what the other has made of the file, not the file.
  await using _lock = await store.lock(hashOf(url), {
    purpose: 'vm box add',
    signal: context.signal,
    onWait: ({ pid }) =>
      context.reporter.report({
        type: 'message',
        level: 'info',
        subject: file.called?.name ?? fileNameIn(url),
        text: `process ${pid} is getting this box: waiting for it`,
      }),
  });
  const made = file.renew ? undefined : await recallUrl(file, tools);
  if (made !== undefined) return made;
  await using client = await tools.openHttp();
  const box = await getBox(file, { ...tools, client });
  await memory.remember(url, identityOf(file), box.key);
  return box;
}

/** The box that was made of this file before, if it is still here. */
export async function recallUrl(
  file: RemoteFile,
  { store, memory }: Pick<DownloadingTools, 'store' | 'memory'>,
): Promise<Box | undefined> {
  const known = await memory.recall(file.urls[0], identityOf(file));
  return known !== undefined && (await store.has(known)) ? store.get(known) : undefined;
}

function identityOf({ checksum, version, called, takesName = false }: RemoteFile): string {
  return JSON.stringify([checksum, version?.text, called, takesName]);
}

type Tools = DownloadingTools & { readonly client: HttpClient };

async function getBox({ urls, checksum, version, called, takesName = false }: RemoteFile, tools: Tools): Promise<Box> {
  const [url] = urls;
  const verified = await findChecksum(checksum, fileNameIn(url), tools);
  const same = verified && (await findWithChecksum(verified, called, tools));
  if (same !== undefined) {
    checkVersion(shownUrl(url), { version, called });
    return same;
  }
  await using downloaded = await get({ urls, checksum: verified, called }, tools);
  const catalog = await findCatalog(downloaded.path, shownUrl(url));
  if (catalog === undefined) {
    checkVersion(shownUrl(url), { version, called });
    return await keep({ downloaded, url, called }, tools);
  }
  await rm(downloaded.path);
  const chosen = chooseFrom(catalog, { version, arch: tools.arch });
  // What is no address is refused as one.
  const boxUrl = URL.canParse(chosen.url, url) ? new URL(chosen.url, url).href : chosen.url;
  const calledInCatalog = callingOf(catalog, chosen, { called, takesName });
  const there = await findDownloaded(boxUrl, calledInCatalog, tools.store);
  if (there !== undefined) return there;
  await using box = await get({ urls: [boxUrl], checksum: chosen.checksum, called: calledInCatalog }, tools);
  return await keep({ downloaded: box, url: boxUrl, called: calledInCatalog }, tools);
}

/** The box of this name made of a file that had this checksum. */
async function findWithChecksum(
  checksum: Checksum,
  called: BoxCalling | undefined,
  { store, memory }: Tools,
): Promise<Box | undefined> {
  for (const { box } of await store.list()) {
    const isIt = box.key === keyOf(box.digest, called) && (await hasChecksum(box.digest, checksum, memory));
    if (isIt) return store.get(box.key);
  }
  return undefined;
}

/** A version of a catalog does not change: what was fetched as such is it. */
async function findDownloaded(url: string, calling: BoxCalling, store: BoxStore): Promise<Box | undefined> {
  const found = (await store.list()).find(
    ({ box: { name, version, isNamed, source } }) =>
      source === sourceAt(url) && name === calling.name && version === calling.version && isNamed === calling.isNamed,
  );
  return found && store.get(found.box.key);
}

interface Wanted {
  readonly urls: RemoteFile['urls'];
  readonly checksum: Checksum | undefined;
  readonly called: BoxCalling | undefined;
}

/** Dispose it when it was moved into the store, or is of no use. */
async function get({ urls, checksum, called }: Wanted, tools: Tools): Promise<DownloadedFile & AsyncDisposable> {
  const { client, context, downloadsDir, memory } = tools;
  const [url] = urls;
  const subject = called?.name ?? fileNameIn(url);
  const file = await inPhase(context, subject, 'download', () =>
    download({ urls, dir: downloadsDir, subject, checksum }, { client, context }),
  );
  await rememberDownload({ ...file, url, verified: checksum }, memory);
  return { ...file, [Symbol.asyncDispose]: () => rm(file.path, { force: true }) };
}

interface Fetched {
  readonly downloaded: DownloadedFile;
  readonly url: string;
  readonly called: BoxCalling | undefined;
}

function keep({ downloaded: { path, sha256 }, url, called }: Fetched, tools: Tools): Promise<Box> {
  const shownAs = shownUrl(url);
  const file = { path, shownAs, sha256, isOurs: true };
  return importBox({ file, fileName: fileNameIn(url), called, source: sourceAt(url) }, tools);
}
