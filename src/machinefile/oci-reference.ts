import { isIP } from 'node:net';
import { VmError } from '../errors.ts';

/** What `oci://…` names: a tag in a repository of a registry, or exactly one manifest there. */
export type Reference = {
  /** Host and, where it is given, port; in lower case: `registry.example.org:5000`. */
  readonly registry: string;
  /** `team/app`. */
  readonly repository: string;
} & ({ readonly tag: string; readonly digest: undefined } | { readonly tag: undefined; readonly digest: string });

/** OCI distribution specification 1.1, "Pulling manifests"; for the port and IPv6, distribution/reference. */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const DOMAIN = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const MAX_NAME_LENGTH = 255;
const DEFAULT_TAG = 'latest';

/**
 * Reads `registry.example.org:5000/team/app:1.2` or `…@sha256:…`; without either the tag is `latest`.
 * @throws VmError, also where no registry is named: there is no default one.
 */
export function parseReference(text: string): Reference {
  const slash = text.indexOf('/');
  const host = text.slice(0, Math.max(slash, 0));
  if (!/[.:]|^localhost$/i.test(host)) throw mistake(text, 'it names no registry');
  const registry = findRegistry(host);
  if (registry === undefined) throw mistake(text, `“${host}” is not a registry`);
  const [named = '', digest, ...more] = text.slice(slash + 1).split('@');
  const [repository = '', tag, ...rest] = named.split(':');
  if (`${registry}/${repository}`.length > MAX_NAME_LENGTH) throw mistake(text, 'its name is too long');
  if (!REPOSITORY.test(repository)) throw mistake(text, `“${repository}” is not a repository`);
  if (more.length + rest.length > 0) throw mistake(text, 'it has more than one tag or digest');
  if (tag !== undefined && !TAG.test(tag)) throw mistake(text, `“${tag}” is not a tag`);
  if (digest === undefined) return { registry, repository, tag: tag ?? DEFAULT_TAG, digest };
  if (!isDigest(digest)) throw mistake(text, `“${digest}” is not a digest, such as sha256:…`);
  if (tag !== undefined) throw mistake(text, 'it has a tag and a digest, which may differ');
  return { registry, repository, tag, digest };
}

/** Reads `registry.example.org:5000`. @throws VmError */
export function parseRegistry(text: string): string {
  const registry = findRegistry(text);
  if (registry !== undefined) return registry;
  throw new VmError(`“${text}” is not a registry`, { hint: 'give its host, and its port if it has one: HOST:PORT' });
}

function findRegistry(text: string): string | undefined {
  const [, ipv6, domain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text.toLowerCase()) ?? [];
  const isHost = ipv6 === undefined ? DOMAIN.test(domain ?? '') : isIP(ipv6) === 6;
  const isPort = port === undefined || (Number(port) > 0 && Number(port) < 2 ** 16);
  return isHost && isPort ? text.toLowerCase() : undefined;
}

function mistake(text: string, what: string): VmError {
  return new VmError(`“${text}” is not a box in a registry: ${what}`, {
    hint: 'write oci://HOST/REPOSITORY:TAG, such as oci://registry.example.org/team/app:1.2',
  });
}

/** A SHA-256 as registries write it, the only algorithm that all of them know. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** As it is written, with its tag. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return tag === undefined ? `${registry}/${repository}@${digest}` : `${registry}/${repository}:${tag}`;
}

/** `https://…`; plain http for registries on this host only. */
export function registryOrigin(registry: string): string {
  // The name that people write for Docker Hub is not where it is (distribution/reference, normalize.go).
  if (registry === 'docker.io' || registry === 'index.docker.io') return 'https://registry-1.docker.io';
  return `${isLoopback(registry) ? 'http' : 'https'}://${registry}`;
}

/** @param registry host, or host and port. */
export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '');
  return host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));
}
