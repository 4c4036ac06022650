import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { VmError } from '../../errors.ts';
import { ensurePrivateFolder, unlessMissing, writeFileAtomic } from '../../host/files.ts';
import type { HttpClient } from '../../http/http-client.ts';
import { registryOrigin } from '../../machinefile/oci-reference.ts';
import { AuthorizedClient } from './authorized-client.ts';
import { storeInHelper } from './credential-helper.ts';
import { type DockerConfig, findHelperName, readDockerConfig, serverUrlOf } from './credentials.ts';
import { findObject } from './json-fields.ts';
import { RegistryError } from './registry-error.ts';

export interface Login {
  readonly user: string;
  readonly password: string;
}

/**
 * Asks a registry whether it knows this user. One that lets everybody in does not look.
 * @throws VmError if it does not; HttpError if it cannot be asked; InterruptedError.
 */
export async function checkLogin(
  registry: string,
  { user, password }: Login,
  { client, signal }: { readonly client: HttpClient; readonly signal: AbortSignal },
): Promise<void> {
  const findCredentials = async () => ({ kind: 'password', user, password }) as const;
  const authorized = new AuthorizedClient({ registry, scope: undefined, client, signal, findCredentials });
  try {
    // The specification's "end-1", made for this.
    const url = `${registryOrigin(registry)}/v2/`;
    const response = await authorized.call({ what: `log in to ${registry}`, url, expects: [200] });
    await response.discard();
  } catch (error) {
    if (!(error instanceof RegistryError) || (error.status !== 401 && error.status !== 403)) throw error;
    throw new VmError(`${registry} does not let ${user} in with this password`, {
      hint: 'check both; many registries want an access token for the password',
      cause: error,
    });
  }
}

/**
 * Keeps a login where Docker does: in the helper that its configuration names, otherwise in the file, which stays as it
 * is but for this, and is private to this user.
 * @throws VmError if the file is malformed or cannot be written, or the helper fails; InterruptedError.
 */
export async function storeLogin(
  { path, registry }: DockerConfig,
  { user, password }: Login,
  signal: AbortSignal,
): Promise<void> {
  const config = await readDockerConfig(path);
  const helperName = config && findHelperName(config, registry);
  const serverUrl = serverUrlOf(registry);
  if (helperName !== undefined) {
    return storeInHelper({ name: helperName, configPath: path }, { serverUrl, user, password }, signal);
  }
  const auth = Buffer.from(`${user}:${password}`).toString('base64');
  const auths = config && findObject(config, 'auths');
  const changed = {
    ...Object.fromEntries(config?.fields ?? []),
    auths: { ...Object.fromEntries(auths?.fields ?? []), [serverUrl]: { auth } },
  };
  await ensurePrivateFolder(dirname(path));
  // People who keep their configuration elsewhere have a link here.
  const filePath = (await unlessMissing(realpath(path))) ?? path;
  await writeFileAtomic(filePath, `${JSON.stringify(changed, undefined, '\t')}\n`);
}
