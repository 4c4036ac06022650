import { describe, expect, test } from 'vitest';
import { parseChallenges } from '../../../../src/boxes/oci/challenge.ts';
import { type TokenInput, tokenRequest } from '../../../../src/boxes/oci/token-request.ts';
import { failureOf } from './failure-of.ts';

const PULL = 'repository:team/app:pull';
const PUSH = 'repository:team/app:pull,push';

function plan(header: string, input: Partial<TokenInput> = {}) {
  const [challenge] = parseChallenges(header);
  if (challenge === undefined) throw new Error('no challenge');
  return tokenRequest(challenge, { registry: 'registry.example.org', scope: PULL, credentials: undefined, ...input });
}

describe('tokenRequest', () => {
  const header = `Bearer realm="https://auth.example.org/token?x=1",service="the registry",scope="${PULL}"`;

  test('for everybody', () => {
    expect(plan(header)).toEqual({
      url: 'https://auth.example.org/token?x=1&service=the+registry&scope=repository%3Ateam%2Fapp%3Apull',
      headers: {},
    });
  });

  test('asks for what is needed, and for all that the registry names', () => {
    const { url } = plan(header, { scope: PUSH });
    expect(new URL(url).searchParams.getAll('scope')).toEqual([PUSH, PULL]);
  });

  test('only to log in', () => {
    expect(plan('Bearer realm="https://auth.example.org/token"', { scope: undefined }).url).toBe(
      'https://auth.example.org/token',
    );
  });

  test('with a password', () => {
    const credentials = { kind: 'password', user: 'ann', password: 'se:cret' } as const;
    expect(plan(header, { credentials }).headers).toEqual({ authorization: 'Basic YW5uOnNlOmNyZXQ=' });
  });

  test('with a token, which stands in the body and goes nowhere else', () => {
    expect(plan(header, { credentials: { kind: 'token', token: 'a&b' } })).toEqual({
      url: 'https://auth.example.org/token?x=1',
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `service=the+registry&grant_type=refresh_token&client_id=machinefile&refresh_token=a%26b&scope=${encodeURIComponent(PULL)}`,
      maxRedirects: 0,
    });
  });

  test.each([
    ['localhost:5000', 'http://127.0.0.1:5001/token'],
    ['127.0.0.1:5000', 'https://auth.example.org/token'],
  ])('%s may send to %s', (registry, realm) => {
    expect(plan(`Bearer realm="${realm}"`, { registry, scope: undefined }).url).toBe(realm);
  });

  test.each([
    ['registry.example.org', 'http://registry.example.org/token', 'http://registry.example.org'],
    ['registry.example.org', 'http://localhost/token', 'http://localhost'],
    ['localhost:5000', 'http://auth.example.org/token', 'http://auth.example.org'],
    ['localhost:5000', 'ftp://localhost/token', 'ftp://localhost'],
  ])('%s may not send to %s', (registry, realm, shown) => {
    expect(failureOf(() => plan(`Bearer realm="${realm}"`, { registry }))).toBe(
      `${registry} wants passwords sent to ${shown}, where others may read them`,
    );
  });

  test.each(['Bearer', 'Bearer realm="/token"'])('%s: nowhere to go', (header) => {
    expect(failureOf(() => plan(header))).toBe('registry.example.org does not say where to log in');
  });
});
