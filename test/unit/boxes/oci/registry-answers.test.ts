import { describe, expect, test } from 'vitest';
import { findReason, RegistryError } from '../../../../src/boxes/oci/registry-error.ts';
import { uploadUrl } from '../../../../src/boxes/oci/upload-url.ts';
import { failureOf } from './failure-of.ts';

describe('findReason', () => {
  test.each([
    ['{"errors":[{"code":"DENIED","message":"no access","detail":{}}]}', 'DENIED: no access'],
    ['{"errors":[{"code":"A"},{"message":"b"},{},"c",null]}', 'A, b'],
    [JSON.stringify({ errors: Array(9).fill({ code: 'A' }) }), 'A, A, A'],
    ['{"errors":[{"message":"\\u001b[2Jgone\\n"}]}', ' [2Jgone '],
    ['{"errors":[{"code":1,"message":[]}]}', undefined],
    ['{"errors":{}}', undefined],
    ['null', undefined],
    ['<html>', undefined],
    ['', undefined],
  ])('%s', (answer, reason) => {
    expect(findReason(answer)).toBe(reason);
  });

  test('is short', () => {
    expect(findReason(JSON.stringify({ errors: [{ code: 'x'.repeat(9999) }] }))).toBe('x'.repeat(300));
  });
});

test.each([
  [401, 'HTTP 401 Unauthorized', 'vm box login ghcr.io'],
  [403, 'HTTP 403 Forbidden', 'vm box login ghcr.io, as somebody who may do this'],
  [404, 'HTTP 404 Not Found', 'check the name and the tag'],
  [429, 'HTTP 429 Too Many Requests', 'try again later'],
  [503, 'HTTP 503 Service Unavailable', 'try again later'],
  [400, 'HTTP 400 Bad Request', 'what stands behind the status is what the registry says of it'],
])('RegistryError of %i', (status, statusText, hint) => {
  const refusal = { what: 'push a', registry: 'ghcr.io', url: 'https://ghcr.io/v2/?secret', reason: 'DENIED: no' };
  const error = new RegistryError({ status, headers: {} }, refusal);
  expect(error).toMatchObject({ name: 'RegistryError', message: `cannot push a: ${statusText}: DENIED: no`, hint });
});

describe('uploadUrl', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const encoded = digest.replace(':', '%3A');
  const from = (start: string, location: string | undefined) =>
    uploadUrl(location, { start, digest, registry: new URL(start).host });

  test.each([
    ['/v2/a/blobs/uploads/1', `https://ghcr.io/v2/a/blobs/uploads/1?digest=${encoded}`],
    ['1?_state=a%2Bb~%3D', `https://ghcr.io/v2/a/blobs/uploads/1?_state=a%2Bb~%3D&digest=${encoded}`],
    ['https://store.example.org/x?sig=1#y', `https://store.example.org/x?sig=1&digest=${encoded}`],
  ])('%s', (location, url) => {
    expect(from('https://ghcr.io/v2/a/blobs/uploads/', location)).toBe(url);
  });

  test('on this host http is as good', () => {
    expect(from('http://127.0.0.1:5000/v2/a/', 'http://127.0.0.1:5000/x')).toBe(
      `http://127.0.0.1:5000/x?digest=${encoded}`,
    );
  });

  test.each([
    [undefined, 'does not say where to upload to'],
    ['http://[', 'does not say where to upload to'],
    ['http://ghcr.io/x', 'wants uploads to be sent by http'],
    ['file:///etc/passwd', 'wants uploads to be sent by file'],
  ])('%s is refused', (location, what) => {
    expect(failureOf(() => from('https://ghcr.io/v2/a/', location))).toBe(`ghcr.io ${what}`);
  });
});
