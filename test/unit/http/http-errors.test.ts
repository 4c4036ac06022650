import { expect, test } from 'vitest';
import {
  asHttpError,
  HttpConnectionError,
  HttpError,
  HttpStatusError,
  parseRetryAfter,
} from '../../../src/http/http-errors.ts';

test.each([
  [404, 'https://a.test/x?…: HTTP 404 Not Found', 'check the address'],
  [401, 'https://a.test/x?…: HTTP 401 Unauthorized', 'it wants credentials'],
  [503, 'https://a.test/x?…: HTTP 503 Service Unavailable', 'try again later'],
  [599, 'https://a.test/x?…: HTTP 599', 'try again later'],
])('status %i', (status, message, hint) => {
  const error = new HttpStatusError('https://a.test/x?sig=secret', { status, headers: {} });
  expect(error).toMatchObject({ message, hint, status, retryAfterMs: undefined });
});

test('Retry-After as a date counts from now', () => {
  expect(parseRetryAfter('Wed, 21 Oct 2015 07:28:00 GMT', Date.UTC(2015, 9, 21, 7, 27, 30))).toBe(30_000);
});

function systemError(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

test.each([
  ['nobody listens', systemError('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED'), true],
  ['neither address answers', Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }), true],
  ['the name server is away', systemError('getaddrinfo EAI_AGAIN a.test', 'EAI_AGAIN'), true],
  ['no such name', systemError('getaddrinfo ENOTFOUND a.test', 'ENOTFOUND'), false],
  ['an expired certificate', systemError('certificate has expired', 'CERT_HAS_EXPIRED'), false],
  [
    'an unknown authority',
    systemError('unable to get local issuer certificate', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'),
    false,
  ],
  ['a busy proxy', new Error('Proxy response (503) !== 200 when HTTP Tunneling'), true],
  ['a proxy that refuses', new Error('Proxy response (403) !== 200 when HTTP Tunneling'), false],
])('%s: worth another try: %s', (_what, cause, isWorthAnotherTry) => {
  const error = asHttpError(cause, 'https://ann:secret@a.test/x', 'nothing');
  expect(error).toBeInstanceOf(HttpError);
  expect(error instanceof HttpConnectionError).toBe(isWorthAnotherTry);
  expect(error.cause).toBe(cause);
  expect(error.message).toContain('a.test');
  expect(error.message).toContain(cause.message || 'ECONNREFUSED');
  expect(error.message).not.toContain('secret');
});

test('what broke off in the middle is told from what never came', () => {
  const cause = new Error('other side closed');
  expect(asHttpError(cause, 'https://a.test/x', 'nothing').message).toBe('no answer from a.test: other side closed');
  expect(asHttpError(cause, 'https://a.test/x', 'a part').message).toBe(
    'the answer of a.test broke off: other side closed',
  );
});
