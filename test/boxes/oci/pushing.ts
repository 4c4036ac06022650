import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BoxFacts } from '../../../src/boxes/oci/box-config.ts';
import { openChunkCache } from '../../../src/boxes/oci/chunk-cache.ts';
import { type PulledBox, pullBox } from '../../../src/boxes/oci/pull.ts';
import { type PushedBox, pushBox } from '../../../src/boxes/oci/push.ts';
import { Registry } from '../../../src/boxes/oci/registry.ts';
import type { ReportEvent } from '../../../src/context.ts';
import { type HttpClient, type HttpRequest, openHttpClient } from '../../../src/http/http-client.ts';
import { parseReference } from '../../../src/machinefile/oci-reference.ts';

const MIB = 2 ** 20;

export const facts: BoxFacts = {
  name: 'team/app',
  version: '1.2.0',
  arch: 'x86_64',
  seed: 'machinefile',
  user: 'dev',
  virtualSizeBytes: 10 * 2 ** 30,
  extraDisks: [],
  commandLine: undefined,
};

/** Content of a disk: as many chunks as there are names, the last a small one; `zero` is one without content. */
export function makeDisk(names: readonly ('data' | 'zero')[]): Buffer {
  const chunks = names.map((name, i) => {
    const length = i === names.length - 1 ? MIB : 32 * MIB;
    // It repeats, so that it packs well and the tests are quick.
    return name === 'zero' ? Buffer.alloc(length) : Buffer.alloc(length, randomBytes(64 * 1024));
  });
  return Buffer.concat(chunks);
}

/** A folder for boxes and a client that counts; disposing it removes both. */
export async function openPushing() {
  const dir = await mkdtemp(join(tmpdir(), 'vm-oci-'));
  const inner = await openHttpClient({ env: {} });
  const dockerConfigPath = join(dir, 'docker', 'config.json');
  const diskPath = join(dir, 'disk.qcow2');
  const requests: HttpRequest[] = [];
  const texts: string[] = [];
  const client: HttpClient = {
    request: (request) => {
      requests.push(request);
      if (isUpload(request)) pushing.onUpload();
      return inner.request(request);
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
  const report = (event: ReportEvent) => {
    if (event.type === 'progress') texts.push(event.text);
  };

  const contextFor = (signal: AbortSignal) => ({ reporter: { report }, signal });
  const open = (reference: string, access: 'pull' | 'push', signal = new AbortController().signal) => {
    const context = contextFor(signal);
    const tools = { client, context, subject: 'app', dockerConfigPath, retryBaseDelayMs: 1 };
    return new Registry(parseReference(reference), { access, ...tools });
  };

  const pushing = {
    /** Called before each blob is sent. */
    onUpload: () => {},
    dir,
    diskPath,
    dockerConfigPath,
    client,
    requests,
    /** What was reported. */
    texts,
    open,

    /** Pushes a box that is only this disk. */
    async push(reference: string, disk: Uint8Array, signal = new AbortController().signal): Promise<PushedBox> {
      await writeFile(diskPath, disk);
      const files = { 'disk.qcow2': diskPath };
      const registry = open(reference, 'push', signal);
      return pushBox({ facts, files }, registry, { context: contextFor(signal), subject: 'app' });
    },

    /** Pulls into `name`, with what the boxes in other such folders have. */
    async pull(reference: string, name: string, boxes: readonly string[] = []): Promise<PulledBox> {
      const chunkCache = await openChunkCache(boxes.map((box) => join(dir, box)));
      const context = contextFor(new AbortController().signal);
      const target = { dir: join(dir, name), chunkCache };
      return pullBox(target, open(reference, 'pull'), { context, subject: 'app' });
    },

    readDisk: (name: string) => readFile(join(dir, name, 'disk.qcow2')),

    /** Digests of what was uploaded since this was asked last. */
    takeUploads: () => takeMatching(requests, isUpload).map(({ url }) => new URL(url).searchParams.get('digest') ?? ''),

    /** Digests of the blobs that were fetched since this was asked last. */
    takeFetches: () =>
      takeMatching(requests, ({ method, url }) => method === undefined && url.includes('/blobs/')).map(({ url }) =>
        url.replace(/^.*\//, ''),
      ),

    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await rm(dir, { recursive: true });
    },
  };
  return pushing;
}

function isUpload({ method, url }: HttpRequest): boolean {
  return method === 'PUT' && url.includes('/uploads/');
}

function takeMatching(requests: HttpRequest[], isWanted: (request: HttpRequest) => boolean): HttpRequest[] {
  const wanted = requests.filter(isWanted);
  requests.length = 0;
  return wanted;
}
