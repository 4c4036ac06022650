import type { RunContext } from '../../context.ts';
import { VmError } from '../../errors.ts';
import { sha256 } from '../../host/files.ts';
import type { HttpClient } from '../../http/http-client.ts';
import { HttpConnectionError } from '../../http/http-errors.ts';
import { withRetries } from '../../http/retry.ts';
import { formatReference, isDigest, type Reference, registryOrigin } from '../../machinefile/oci-reference.ts';
import { AuthorizedClient } from './authorized-client.ts';
import { findCredentials } from './credentials.ts';
import { receiveBytes } from './receive-bytes.ts';
import { uploadUrl } from './upload-url.ts';

/** Some bytes in a registry, as manifests name them. */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly size: number;
}

export interface StoredManifest {
  readonly bytes: Buffer;
  readonly digest: string;
}

export interface RegistryOptions {
  readonly access: 'pull' | 'push';
  readonly client: HttpClient;
  readonly context: RunContext;
  /** Whom pauses are told for. */
  readonly subject: string;
  /** Docker's `config.json`, where logins are; it need not exist. */
  readonly dockerConfigPath: string;
  /** The first pause before another try. Default: 1 s. */
  readonly retryBaseDelayMs?: number;
}

export const MANIFEST_MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** What registries commonly take (OCI distribution specification 1.1, "Pushing Manifests"). */
export const MAX_MANIFEST_BYTES = 4 * 2 ** 20;

/**
 * One repository in a registry, seen from one reference. What is read from it is what its digest says.
 * All methods try again where that may help, and throw RegistryError with the registry's own reason, HttpError if it
 * cannot be reached, VmError if it gives something wrong, and InterruptedError.
 */
export class Registry {
  readonly reference: Reference;
  readonly #options: RegistryOptions;
  readonly #authorized: AuthorizedClient;
  readonly #url: string;

  constructor(reference: Reference, options: RegistryOptions) {
    const { registry, repository } = reference;
    const { access, client, context, dockerConfigPath } = options;
    const { signal } = context;
    this.reference = reference;
    this.#options = options;
    this.#url = `${registryOrigin(registry)}/v2/${repository}`;
    this.#authorized = new AuthorizedClient({
      registry,
      scope: `repository:${repository}:${access === 'push' ? 'pull,push' : 'pull'}`,
      client,
      signal,
      findCredentials: () => findCredentials({ path: dockerConfigPath, registry }, signal),
    });
  }

  /** The digest of the manifest that the reference means now; undefined where there is none. */
  async findDigest(): Promise<string | undefined> {
    const what = `look for ${formatReference(this.reference)}`;
    const headers = { accept: MANIFEST_MEDIA_TYPE };
    const response = await this.#retrying(async () => {
      const call = { what, url: this.#manifestUrl(), method: 'HEAD', headers, expects: [200, 404] } as const;
      const head = await this.#authorized.call(call);
      await head.discard();
      return head;
    });
    if (response.status === 404) return undefined;
    return digestIn(response.headers) ?? (await this.getManifest()).digest;
  }

  async getManifest(): Promise<StoredManifest> {
    const shown = formatReference(this.reference);
    const url = this.#manifestUrl();
    const headers = { accept: MANIFEST_MEDIA_TYPE };
    const manifest = await this.#retrying(async () => {
      const response = await this.#authorized.call({ what: `read ${shown}`, url, headers, expects: [200] });
      const bytes = await receiveBytes(response, { url, signal: this.#signal, maxBytes: MAX_MANIFEST_BYTES });
      return { bytes, promised: this.reference.digest ?? digestIn(response.headers) };
    });
    const digest = digestOf(manifest.bytes);
    if ((manifest.promised ?? digest) !== digest) throw wrongBytes(shown);
    return { bytes: manifest.bytes, digest };
  }

  /** @returns its digest. */
  async pushManifest(bytes: Uint8Array): Promise<string> {
    const what = `push ${formatReference(this.reference)}`;
    const headers = { 'content-type': MANIFEST_MEDIA_TYPE };
    const call = { what, url: this.#manifestUrl(), method: 'PUT', headers, body: bytes, expects: [200, 201] } as const;
    await this.#retrying(async () => (await this.#authorized.call(call)).discard());
    return digestOf(bytes);
  }

  async hasBlob(digest: string): Promise<boolean> {
    const what = `look for ${digest} in ${this.#shown}`;
    const call = { what, url: `${this.#url}/blobs/${digest}`, method: 'HEAD', expects: [200, 404] } as const;
    return this.#retrying(async () => {
      const response = await this.#authorized.call(call);
      await response.discard();
      return response.status === 200;
    });
  }

  /** In one piece, so that nothing is done with bytes that were not verified. */
  async getBlob({ digest, size }: Descriptor): Promise<Buffer> {
    const url = `${this.#url}/blobs/${digest}`;
    const bytes = await this.#retrying(async () => {
      const response = await this.#authorized.call({ what: `read ${digest} of ${this.#shown}`, url, expects: [200] });
      const received = await receiveBytes(response, { url, signal: this.#signal, maxBytes: size });
      if (received.length === size) return received;
      throw new HttpConnectionError(`${this.reference.registry} ended after ${received.length} of ${size} bytes`, {
        hint: 'try again later',
      });
    });
    if (digestOf(bytes) !== digest) throw wrongBytes(`${digest} in ${this.#shown}`);
    return bytes;
  }

  async pushBlob(digest: string, bytes: Uint8Array): Promise<void> {
    const what = `push ${digest} to ${this.#shown}`;
    const start = `${this.#url}/blobs/uploads/`;
    await this.#retrying(async () => {
      const response = await this.#authorized.call({ what, url: start, method: 'POST', expects: [202] });
      await response.discard();
      const url = uploadUrl(response.headers.location, { start, digest, registry: this.reference.registry });
      const headers = { 'content-type': 'application/octet-stream' };
      const call = { what, url, method: 'PUT', headers, body: bytes, expects: [201, 204] } as const;
      await (await this.#authorized.call(call)).discard();
    });
  }

  get #shown(): string {
    return `${this.reference.registry}/${this.reference.repository}`;
  }

  get #signal(): AbortSignal {
    return this.#options.context.signal;
  }

  #manifestUrl(): string {
    return `${this.#url}/manifests/${this.reference.digest ?? this.reference.tag}`;
  }

  #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    const { context, subject, retryBaseDelayMs: baseDelayMs } = this.#options;
    const onRetry = (error: Error, delayMs: number) => {
      const text = `${error.message}: trying again in ${Math.ceil(delayMs / 1000)} s`;
      context.reporter.report({ type: 'progress', subject, text });
    };
    return withRetries(attempt, { progress: () => 0, onRetry, signal: context.signal, baseDelayMs });
  }
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${sha256(bytes)}`;
}

function digestIn(headers: Readonly<Record<string, string | undefined>>): string | undefined {
  const digest = headers['docker-content-digest'];
  return digest !== undefined && isDigest(digest) ? digest : undefined;
}

function wrongBytes(shown: string): VmError {
  return new VmError(`${shown} is not what its digest says`, {
    hint: 'it was damaged or changed in the registry or on the way: push it again',
  });
}
