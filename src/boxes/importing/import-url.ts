import { rm } from 'node:fs/promises';
import { basename } from 'node:path/posix';
import { inPhase } from '../../context.ts';
import { sha256 as hashOf } from '../../host/files.ts';
import type { Checksum, WantedChecksum } from '../../http/checksum.ts';
import { type DownloadedFile, download } from '../../http/download.ts';
import type { HttpClient } from '../../http/http-client.ts';
import { shownUrl } from '../../http/http-errors.ts';
import type { Constraint } from '../../machinefile/versions.ts';
import type { Box } from '../box.ts';
import type { BoxStore } from '../store.ts';
import { findCatalog } from '../vagrant/find-catalog.ts';
import { callingOf, checkVersion, chooseFrom } from './choose-from-catalog.ts';
import { type BoxCalling, type ImportTools, importBox } from './import.ts';
import type { ImportMemory } from './import-memory.ts';
import { sourceAt } from './source-text.ts';
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
  const identity = JSON.stringify([file.checksum, file.version?.text, file.called, file.takesName]);
  const recall = async () => {
    const known = await memory.recall(url, identity);
    return known !== undefined && (await store.has(known)) ? store.get(known) : undefined;
  };
  const known = file.renew ? undefined : await recall();
  if (known !== undefined) return known;
  // Whoever waited finds what the other has made of the file, not the file.
  await using _lock = await store.lock(hashOf(url), {
    purpose: 'vm box add',
    signal: context.signal,
    onWait: ({ pid }) =>
      context.reporter.report({
        type: 'message',
        level: 'info',
        subject: file.called?.name ?? nameOf(url),
        text: `process ${pid} is getting this box: waiting for it`,
      }),
  });
  const made = file.renew ? undefined : await recall();
  if (made !== undefined) return made;
  await using client = await tools.openHttp();
  const box = await getBox(file, { ...tools, client });
  await memory.remember(url, identity, box.key);
  return box;
}

type Tools = DownloadingTools & { readonly client: HttpClient };

async function getBox({ urls, checksum, version, called, takesName = false }: RemoteFile, tools: Tools): Promise<Box> {
  const [url] = urls;
  const verified = await findChecksum(checksum, nameOf(url), tools);
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
  const { client, context, downloadsDir } = tools;
  const subject = called?.name ?? nameOf(urls[0]);
  const file = await inPhase(context, subject, 'download', () =>
    download({ urls, dir: downloadsDir, subject, checksum }, { client, context }),
  );
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
  return importBox({ file, fileName: nameOf(url), called, source: sourceAt(url) }, tools);
}

/** The last part of its path, as it is written there: decoded it might steer a terminal. */
function nameOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { pathname, host } = new URL(url);
  return basename(pathname) || host;
}
