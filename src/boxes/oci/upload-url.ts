import { registryOrigin } from '../../machinefile/oci-reference.ts';
import { misbehaves } from './registry-error.ts';

/**
 * Where the bytes of a blob go: what a registry answered to the request to upload them, which may be relative, with the
 * digest. The rest of the query is the registry's own and stays as it is written.
 * @throws VmError if there is nothing to be understood, or it leads from https to http.
 */
export function uploadUrl(
  location: string | undefined,
  { start, digest, registry }: { readonly start: string; readonly digest: string; readonly registry: string },
): string {
  if (location === undefined || !URL.canParse(location, start)) {
    throw misbehaves(registry, 'does not say where to upload to');
  }
  const { href, search, protocol } = new URL(location, start);
  const isAllowed = protocol === 'https:' || (protocol === 'http:' && registryOrigin(registry).startsWith('http:'));
  if (!isAllowed) throw misbehaves(registry, `wants uploads to be sent by ${protocol.slice(0, -1)}`);
  return `${href.replace(/#.*$/, '')}${search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
}
