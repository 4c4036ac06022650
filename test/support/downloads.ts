import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { InterruptedError } from '../../src/errors.ts';
import { type DownloadedFile, type DownloadInput, download } from '../../src/http/download.ts';
import { openHttpClient } from '../../src/http/http-client.ts';

/** For `expect.poll`: as soon as it is so, on slow machines, too. */
export const SOON = { interval: 2, timeout: 20_000 };

export type Wanted = Partial<DownloadInput> & { readonly signal?: AbortSignal; readonly retryBaseDelayMs?: number };

export function digest(algorithm: string, data: string | Uint8Array): string {
  return createHash(algorithm).update(data).digest('hex');
}

/** A folder for downloads, and a client; disposing it removes both. */
export async function openDownloads(parent = tmpdir()) {
  const client = await openHttpClient({ env: {} });
  const dir = await mkdtemp(join(parent, 'vm-download-'));
  const texts: string[] = [];
  const report = (event: { readonly type: string; readonly subject?: string; readonly text?: string }) => {
    texts.push(`${event.type} ${event.subject}: ${event.text}`);
  };

  /** Pauses of a millisecond between tries, unless others are wanted. */
  function get(url: string, wanted: Wanted = {}): Promise<DownloadedFile> {
    const { signal = new AbortController().signal, retryBaseDelayMs = 1, ...input } = wanted;
    const tools = { client, context: { reporter: { report }, signal }, retryBaseDelayMs };
    return download({ urls: [url], dir, subject: 'm', ...input }, tools);
  }

  const partPath = (url: string) => join(dir, `${digest('sha256', url)}.part`);
  const partSize = async (url: string) => (await stat(partPath(url)).catch(() => undefined))?.size;
  return {
    dir,
    /** What was reported. */
    texts,
    get,
    partPath,
    partSize,

    /** Downloads from a server that stalls after so many bytes, and is interrupted there as by Ctrl-C. */
    async interruptAt(bytes: number, url: string, wanted: Wanted = {}): Promise<void> {
      const controller = new AbortController();
      const interrupted = get(url, { ...wanted, signal: controller.signal });
      await expect.poll(() => partSize(url), SOON).toBe(bytes);
      controller.abort();
      await expect(interrupted).rejects.toBeInstanceOf(InterruptedError);
    },

    /** The file has this content, and is alone in its folder. */
    async expectFile(file: DownloadedFile, content: Buffer): Promise<void> {
      expect(file).toMatchObject({ sha256: digest('sha256', content), bytes: content.length });
      expect((await readFile(file.path)).equals(content)).toBe(true);
      expect(await readdir(dir)).toEqual([file.path.slice(dir.length + 1)]);
    },

    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await rm(dir, { recursive: true });
    },
  };
}
