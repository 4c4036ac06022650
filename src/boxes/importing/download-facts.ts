import type { Checksum, ChecksumAlgorithm } from '../../http/checksum.ts';
import type { HttpClient } from '../../http/http-client.ts';
import { originOf, type Validator } from '../../http/part-origin.ts';
import type { ImportMemory } from './import-memory.ts';

/** A file as it was when it was downloaded. */
export interface DownloadFacts {
  readonly url: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** What it was verified with. */
  readonly verified: Checksum | undefined;
  /** What the server called this state of it. */
  readonly validator: Validator | undefined;
}

/** Keeps what tells later, without another download, whether a server still has the same file. */
export async function rememberDownload(
  { url, sha256, verified, validator }: DownloadFacts,
  memory: ImportMemory,
): Promise<void> {
  if (verified !== undefined && verified.algorithm !== 'sha256') {
    await memory.remember(checksumSubject(verified.algorithm, sha256), '', verified.hex);
  }
  if (validator !== undefined) await memory.remember(validatorSubject(url), sha256, formatValidator(validator));
}

/** Whether a file has this checksum; undefined where it was never verified with one of that algorithm. */
export async function hasChecksum(
  sha256: string,
  { algorithm, hex }: Checksum,
  memory: ImportMemory,
): Promise<boolean | undefined> {
  if (algorithm === 'sha256') return hex === sha256;
  const known = await memory.recall(checksumSubject(algorithm, sha256), '');
  return known === undefined ? undefined : known === hex;
}

/**
 * Whether there is another file at a URL by now than the one that was downloaded from there; undefined where the server
 * does not tell.
 * @throws HttpError if it cannot be asked; InterruptedError.
 */
export async function hasChanged(
  { url, sha256 }: Pick<DownloadFacts, 'url' | 'sha256'>,
  {
    client,
    signal,
    memory,
  }: { readonly client: HttpClient; readonly signal: AbortSignal; readonly memory: ImportMemory },
): Promise<boolean | undefined> {
  const known = await memory.recall(validatorSubject(url), sha256);
  if (known === undefined) return undefined;
  const headers = { 'accept-encoding': 'identity' };
  const response = await client.request({ url, method: 'HEAD', headers, signal });
  await response.discard();
  const { validator } = originOf(url, response.headers);
  if (response.status !== 200 || validator === undefined) return undefined;
  return known.startsWith(validator.header) ? known !== formatValidator(validator) : undefined;
}

function formatValidator({ header, value }: Validator): string {
  return `${header}: ${value}`;
}

function checksumSubject(algorithm: ChecksumAlgorithm, sha256: string): string {
  return `${algorithm} of ${sha256}`;
}

function validatorSubject(url: string): string {
  return `validator of ${url}`;
}
