import { readTextIfExists } from '../../host/files.ts';
import { findText, type JsonObject, mistake } from '../vagrant/json-document.ts';
import { getFromHelper } from './credential-helper.ts';
import { findObject, parseSecretJson } from './json-fields.ts';

/** Who somebody is to a registry; `token` is one that a token server changes into others. */
export type Credentials =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string };

export interface DockerConfig {
  /** Docker's `config.json`; it need not exist. */
  readonly path: string;
  readonly registry: string;
}

/**
 * The credentials for a registry that `docker login` or `vm box login` left: from a helper where one is configured,
 * otherwise from the file.
 * @throws VmError if the file is malformed or the helper fails; InterruptedError.
 */
export async function findCredentials(
  { path, registry }: DockerConfig,
  signal: AbortSignal,
): Promise<Credentials | undefined> {
  const config = await readDockerConfig(path);
  if (config === undefined) return undefined;
  const name = findHelperName(config, registry);
  const kept = name && (await getFromHelper({ name, configPath: path }, serverUrlOf(registry), signal));
  return kept || findInFile(config, registry);
}

/** Undefined where there is no such file. @throws VmError if it is not a JSON object. */
export async function readDockerConfig(path: string): Promise<JsonObject | undefined> {
  const text = await readTextIfExists(path);
  if (text === undefined) return undefined;
  return parseSecretJson(text, { shownAs: path, hint: 'correct it, or move it away and log in again' });
}

/** The helper that keeps the credentials for a registry, instead of the file. */
export function findHelperName(config: JsonObject, registry: string): string | undefined {
  const helpers = findObject(config, 'credHelpers');
  const serverUrl = serverUrlOf(registry);
  // An empty name there means the file, like in Docker.
  return helpers?.fields.has(serverUrl) ? findText(helpers, serverUrl) : findText(config, 'credsStore');
}

/** The credentials that stand in the file itself. @throws VmError if they are malformed. */
export function findInFile(config: JsonObject, registry: string): Credentials | undefined {
  const auths = findObject(config, 'auths');
  const entry = auths && findEntry(auths, serverUrlOf(registry));
  return entry && findInEntry(entry);
}

/** What Docker calls a registry in its configuration: for Docker Hub, an address of long ago (docker/cli, registry). */
export function serverUrlOf(registry: string): string {
  return /^(index\.)?docker\.io$/.test(registry) ? 'https://index.docker.io/v1/' : registry;
}

/** By its name, or by the host in one that is a URL, as old versions of Docker wrote them. */
function findEntry(auths: JsonObject, serverUrl: string): JsonObject | undefined {
  const names = [...auths.fields.keys()];
  const name = names.find((key) => key === serverUrl) ?? names.find((key) => hostOf(key) === serverUrl);
  return name === undefined ? undefined : findObject(auths, name);
}

function hostOf(name: string): string {
  return name.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

function findInEntry(entry: JsonObject): Credentials | undefined {
  const token = findText(entry, 'identitytoken');
  if (token !== undefined) return { kind: 'token', token };
  const auth = findText(entry, 'auth');
  if (auth === undefined) return undefined;
  const [, user, password] = /^([^:]+):(.*)$/s.exec(Buffer.from(auth, 'base64').toString()) ?? [];
  if (user === undefined || password === undefined) throw mistake(entry, 'auth', 'is not USER:PASSWORD in base64');
  return { kind: 'password', user, password };
}
