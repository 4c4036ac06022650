import type { HttpRequest } from '../../http/http-client.ts';
import { isLoopback } from '../../machinefile/oci-reference.ts';
import type { Challenge } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { misbehaves } from './registry-error.ts';

export interface TokenInput {
  readonly registry: string;
  /** What is asked for, beside what the challenge names. */
  readonly scope: string | undefined;
  /** Absent: a token such as everybody gets. */
  readonly credentials: Credentials | undefined;
}

/**
 * How to ask for the token that a registry wants (distribution, "Token Authentication Specification" and "OAuth2").
 * @throws VmError if credentials would go where others can read them.
 */
export function tokenRequest(
  { parameters }: Challenge,
  { registry, scope, credentials }: TokenInput,
): Omit<HttpRequest, 'signal'> {
  const realm = checkRealm(parameters.get('realm'), registry);
  const scopes = new Set([...(scope === undefined ? [] : [scope]), ...(parameters.get('scope')?.split(' ') ?? [])]);
  const service = parameters.get('service');
  const fields = new URLSearchParams(service === undefined ? [] : [['service', service]]);
  if (credentials?.kind === 'token') return refresh(realm, { fields, scopes, token: credentials.token });
  for (const one of scopes) fields.append('scope', one);
  for (const [name, value] of fields) realm.searchParams.append(name, value);
  const headers = credentials === undefined ? {} : { authorization: basicHeader(credentials) };
  return { url: realm.href, headers };
}

function refresh(
  realm: URL,
  {
    fields,
    scopes,
    token,
  }: { readonly fields: URLSearchParams; readonly scopes: ReadonlySet<string>; readonly token: string },
): Omit<HttpRequest, 'signal'> {
  fields.append('grant_type', 'refresh_token');
  fields.append('client_id', 'machinefile');
  fields.append('refresh_token', token);
  fields.append('scope', [...scopes].join(' '));
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  // Followed, a redirect would take the token in the body with it.
  return { url: realm.href, method: 'POST', headers, body: fields.toString(), maxRedirects: 0 };
}

/** Passwords go there: it must be as safe as the way to the registry. */
function checkRealm(realm: string | undefined, registry: string): URL {
  if (realm === undefined || !URL.canParse(realm)) throw misbehaves(registry, 'does not say where to log in');
  const url = new URL(realm);
  const isLocal = url.protocol === 'http:' && isLoopback(registry) && isLoopback(url.host);
  if (url.protocol === 'https:' || isLocal) return url;
  throw misbehaves(registry, `wants passwords sent to ${url.protocol}//${url.host}, where others may read them`);
}

/** RFC 7617. */
export function basicHeader({ user, password }: Extract<Credentials, { kind: 'password' }>): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
