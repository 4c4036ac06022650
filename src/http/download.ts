import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunContext } from '../context.ts';
import { VmError } from '../errors.ts';
import { ensurePrivateFolder, sha256, unlessMissing } from '../host/files.ts';
import { acquireLock, type LockHolder } from '../host/lock.ts';
import type { Checksum, ChecksumAlgorithm } from './checksum.ts';
import { Digests } from './digests.ts';
import type { HttpClient } from './http-client.ts';
import { receiveFromAny } from './mirrors.ts';
import { PartFile } from './part-file.ts';
import type { Validator } from './part-origin.ts';
import { describeSize } from './progress-text.ts';
import { shownUrl } from './shown-url.ts';

export interface DownloadInput {
  /** The same file at one place or more, tried in order; the one that a part is from goes first. */
  readonly urls: readonly string[];
  /** A folder for downloads only, private to this user. */
  readonly dir: string;
  /** Whom progress is told for. */
  readonly subject: string;
  readonly checksum?: Checksum | undefined;
  /** Sent to each of the URLs; credentials among them stay with their hosts. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface DownloadTools {
  readonly client: HttpClient;
  readonly context: RunContext;
  /** The first pause before another try. Default: 1 s. */
  readonly retryBaseDelayMs?: number;
}

export interface DownloadedFile {
  /** In the folder for downloads, named by the SHA-256 of the first URL. */
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** What tells whether the first URL still has this file; absent where it is from another one, or was here already. */
  readonly validator: Validator | undefined;
}

/**
 * Gets a file, verifies it, and leaves it to the caller to move or remove. What an interrupted call left is taken up.
 *
 * Of several processes that want the same, one downloads and the others wait. One that waited gets the same file if it
 * is still there, and otherwise downloads it again: a caller that moves files to a place that others look at holds a
 * lock of its own around looking, downloading and moving.
 * @throws VmError naming each URL and its reason when none gives the file, when it is not what its checksum says, or
 * when it cannot be written; InterruptedError.
 */
export async function download(input: DownloadInput, tools: DownloadTools): Promise<DownloadedFile> {
  const { dir, urls, checksum } = input;
  const algorithms = new Set<ChecksumAlgorithm>(['sha256', ...(checksum === undefined ? [] : [checksum.algorithm])]);
  const [first] = urls;
  if (first === undefined) throw new Error('a download needs a URL');
  const target = { path: join(dir, sha256(first)), algorithms };
  await ensurePrivateFolder(dir);
  await using lock = await lockDownload(target.path, input, tools.context);
  const canBeReady = checksum !== undefined || lock.hasWaited;
  const ready = canBeReady ? await findReady(target, checksum, tools.context.signal) : undefined;
  // Awaited, as the lock is held until here.
  return ready ?? (await getAnew(target, input, tools));
}

interface Target {
  readonly path: string;
  readonly algorithms: ReadonlySet<ChecksumAlgorithm>;
}

async function lockDownload(path: string, { subject }: DownloadInput, { reporter, signal }: RunContext) {
  const lockDir = `${path}.lock`;
  let hasWaited = false;
  const onWait = ({ pid }: LockHolder) => {
    hasWaited = true;
    reporter.report({ type: 'progress', subject, text: `process ${pid} is downloading this: waiting for it` });
  };
  const lock = await acquireLock(lockDir, { purpose: 'download', signal, onWait });
  return {
    hasWaited,
    async [Symbol.asyncDispose]() {
      await lock[Symbol.asyncDispose]();
      // Fails where somebody else is in it already; whoever is last removes it.
      await rmdir(lockDir).catch(() => {});
    },
  };
}

/** What another process, or one that was killed before it took its file, left behind. */
async function findReady(
  { path, algorithms }: Target,
  checksum: Checksum | undefined,
  signal: AbortSignal,
): Promise<DownloadedFile | undefined> {
  const digests = await unlessMissing(Digests.ofFile(path, algorithms, signal));
  return digests !== undefined && matches(digests, checksum) ? describe(path, digests, undefined) : undefined;
}

async function getAnew(
  { path, algorithms }: Target,
  input: DownloadInput,
  tools: DownloadTools,
): Promise<DownloadedFile> {
  const { urls, subject, checksum, headers = {} } = input;
  const { client, retryBaseDelayMs } = tools;
  const { reporter, signal } = tools.context;
  const report = (text: string) => reporter.report({ type: 'progress', subject, text });
  const onReading = (bytes: number) => report(`reading the ${describeSize(bytes)} that are already here`);
  const part = await PartFile.open(`${path}.part`, { algorithms, signal, onReading });
  const url = await receiveFromAny(part, { urls, headers, client, signal, report, retryBaseDelayMs });
  if (checksum !== undefined && !matches(part.digests, checksum)) {
    await part.remove();
    throw wrongChecksum(url, checksum, part.digests);
  }
  await part.finish(path);
  return describe(path, part.digests, part.isFrom(urls[0] ?? '') ? part.validator : undefined);
}

function matches(digests: Digests, checksum: Checksum | undefined): boolean {
  return checksum === undefined || digests.hex(checksum.algorithm) === checksum.hex;
}

function describe(path: string, digests: Digests, validator: Validator | undefined): DownloadedFile {
  return { path, sha256: digests.hex('sha256'), bytes: digests.bytes, validator };
}

function wrongChecksum(url: string, { algorithm, hex }: Checksum, digests: Digests): VmError {
  return new VmError(
    `${shownUrl(url)} is not what its checksum says:\n  expected ${algorithm}:${hex}\n  received ${algorithm}:${digests.hex(algorithm)}`,
    { hint: 'it was changed by its publisher, or by somebody else: compare the checksum with the one they publish' },
  );
}
