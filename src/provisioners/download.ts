import { InterruptedError, VmError } from '../errors.ts';
import { sha256 } from '../host/files.ts';

/** A script is text: what is larger is a mistake, and would be held in memory. */
const MAX_BYTES = 16 * 1024 * 1024;

export interface PinnedFile {
  readonly url: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * Fetches a script and verifies it.
 * @throws VmError when it cannot be had, is too large, or is not what its checksum says; InterruptedError.
 */
export async function downloadPinned(file: PinnedFile, signal: AbortSignal): Promise<Uint8Array> {
  if (!/^https?:\/\//i.test(file.url)) throw new VmError(`cannot fetch ${file.url}: only http and https are supported`);
  const bytes = await fetchBytes(file.url, signal).catch((error: unknown) => {
    throw signal.aborted ? new InterruptedError() : asDownloadError(file.url, error);
  });
  const actual = sha256(bytes);
  if (actual !== file.sha256.toLowerCase()) {
    throw new VmError(`${file.url} is not what its checksum says: sha256 ${actual} instead of ${file.sha256}`, {
      hint: 'it was not run; if the change is meant, put the new sha256 into the Machinefile',
    });
  }
  return bytes;
}

async function fetchBytes(url: string, signal: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new VmError(`cannot fetch ${url}: HTTP ${response.status} ${response.statusText}`.trimEnd());
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of response.body ?? []) {
    received += chunk.byteLength;
    if (received > MAX_BYTES) throw new VmError(`cannot use ${url}: it is larger than ${MAX_BYTES / 2 ** 20} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function asDownloadError(url: string, error: unknown): VmError {
  if (error instanceof VmError) return error;
  // fetch says no more than "fetch failed"; the reason is its cause.
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  return new VmError(`cannot fetch ${url}: ${reason}`, { cause: error });
}
