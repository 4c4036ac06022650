import { join } from 'node:path';
import { inPhase } from '../../context.ts';
import { VmError } from '../../errors.ts';
import { sha256 as hashOf } from '../../host/files.ts';
import type { HttpClient } from '../../http/http-client.ts';
import { formatReference, parseReference, type Reference } from '../../machinefile/oci-reference.ts';
import type { Box } from '../box.ts';
import { type BoxDescription, DISK_FILE, extraDiskFile } from '../box-file.ts';
import { inspectImage } from '../formats/inspect.ts';
import type { BoxConfig } from '../oci/box-config.ts';
import { openChunkCache } from '../oci/chunk-cache.ts';
import { pullBox } from '../oci/pull.ts';
import { Registry } from '../oci/registry.ts';
import type { DownloadingTools } from './import-url.ts';

export interface OciBox {
  /** `registry.example.org/team/app:1.2` */
  readonly reference: string;
  /** Ask the registry again, whatever is here already. */
  readonly renew?: boolean;
}

export interface OciTools extends DownloadingTools {
  /** Docker's `config.json`, where logins are. */
  readonly dockerConfigPath: string;
}

/**
 * The box that a reference means in a registry. One that was pulled before is not asked for again, until it is renewed;
 * chunks that any box here has are not fetched.
 * @throws VmError as `pullBox` does, and if the box is for other hosts.
 */
export async function importOci({ reference: text, renew = false }: OciBox, tools: OciTools): Promise<Box> {
  const { store, context, memory } = tools;
  const reference = parseReference(text);
  const url = urlOf(reference);
  const known = renew ? undefined : await recallOci(text, tools);
  if (known !== undefined) return known;
  // Whoever waited finds what the other has pulled.
  await using _lock = await store.lock(hashOf(url), { purpose: `pulling ${url}`, signal: context.signal });
  const pulled = renew ? undefined : await recallOci(text, tools);
  if (pulled !== undefined) return pulled;
  await using client = await tools.openHttp();
  const box = await pull(reference, { ...tools, client });
  await memory.remember(url, '', box.key);
  return box;
}

/** The box that was pulled by this reference before, if it is still here. */
export async function recallOci(
  reference: string,
  { store, memory }: Pick<OciTools, 'store' | 'memory'>,
): Promise<Box | undefined> {
  const known = await memory.recall(urlOf(parseReference(reference)), '');
  return known !== undefined && (await store.has(known)) ? store.get(known) : undefined;
}

function urlOf(reference: Reference): string {
  return `oci://${formatReference(reference)}`;
}

type Tools = OciTools & { readonly client: HttpClient };

async function pull(reference: Reference, tools: Tools): Promise<Box> {
  const { store, context, client, dockerConfigPath } = tools;
  const subject = `${reference.registry}/${reference.repository}`;
  const registry = new Registry(reference, { access: 'pull', client, context, subject, dockerConfigPath });
  return inPhase(context, subject, 'pull', async () => {
    const current = await registry.findDigest();
    if (current !== undefined && (await store.has(keyOf(current)))) return store.get(keyOf(current));
    await using staging = await store.stage();
    const chunkCache = await openChunkCache(await store.boxDirs());
    const target = { dir: staging.dir, chunkCache };
    const { config, digest: manifestDigest } = await pullBox(target, registry, { context, subject });
    await checkDisks(staging.dir, config, { shownAs: formatReference(reference), tools });
    const key = keyOf(manifestDigest);
    await using _lock = await store.lock(key, { purpose: 'vm box pull', signal: context.signal });
    if (await store.has(key)) return await store.get(key);
    // Awaited here: at the end of this function staging folder and lock are given up.
    return await store.commit(staging, describe(reference, config, key));
  });
}

function keyOf(digest: string): string {
  return digest.replace(/^sha256:/, '');
}

/** The disks are somebody else's images, whatever they say of them. */
async function checkDisks(
  dir: string,
  config: BoxConfig,
  { shownAs, tools }: { readonly shownAs: string; readonly tools: Tools },
): Promise<void> {
  if (config.arch !== tools.arch) {
    throw new VmError(`${shownAs} is for ${config.arch}, and this host is ${tools.arch}`, {
      hint: 'pull the box of this architecture, if there is one',
    });
  }
  const disks = [
    { file: DISK_FILE, virtualSizeBytes: config.virtualSizeBytes },
    ...config.extraDisks.map(({ virtualSizeBytes }, i) => ({ file: extraDiskFile(i + 1), virtualSizeBytes })),
  ];
  for (const { file, virtualSizeBytes } of disks) {
    const disk = { imagePath: join(dir, file), shownAs: `${file} of ${shownAs}` };
    const image = await inspectImage(disk, tools.context.signal);
    if (image.format === 'qcow2' && image.virtualSizeBytes === virtualSizeBytes) continue;
    throw new VmError(`${disk.shownAs} is not what its description says`, { hint: 'push the box again' });
  }
}

/**
 * It is called as it is asked for, not as it calls itself: a box that says it is debian/12 must not become what other
 * projects mean by that.
 */
function describe({ registry, repository, tag }: Reference, config: BoxConfig, key: string): BoxDescription {
  const { version, arch, seed, user, virtualSizeBytes, extraDisks, commandLine } = config;
  return {
    key,
    fingerprint: undefined,
    sha256: key,
    name: `${registry}/${repository}`,
    version: tag ?? version,
    arch,
    seed,
    user,
    virtualSizeBytes,
    extraDisks,
    commandLine,
    source: `pulled from oci://${registry}/${repository}${tag === undefined ? '' : `:${tag}`}`,
    builtWith: {},
    createdAt: new Date().toISOString(),
  };
}
