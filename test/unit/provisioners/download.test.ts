import { afterEach, expect, test, vi } from 'vitest';
import { InterruptedError } from '../../../src/errors.ts';
import { downloadPinned } from '../../../src/provisioners/download.ts';

const file = {
  url: 'https://example.org/x.sh',
  sha256: 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb', // of "a"
};
const never = new AbortController().signal;

function answerWith(answer: () => Response | Promise<Response>): void {
  vi.stubGlobal('fetch', async () => answer());
}

afterEach(() => {
  vi.unstubAllGlobals();
});

test('what the checksum says is given', async () => {
  answerWith(() => new Response('a'));
  expect(Buffer.from(await downloadPinned(file, never)).toString()).toBe('a');
});

test('anything else is refused', async () => {
  answerWith(() => new Response('b'));
  await expect(downloadPinned(file, never)).rejects.toMatchObject({
    message: expect.stringContaining('is not what its checksum says'),
    hint: expect.stringContaining('it was not run'),
  });
});

test.each<[string, () => Response | Promise<Response>, string]>([
  ['an error of the server', () => new Response('', { status: 404, statusText: 'Not Found' }), 'HTTP 404 Not Found'],
  [
    'no connection',
    () => Promise.reject(new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND') })),
    'getaddrinfo ENOTFOUND',
  ],
  ['too much', () => new Response(Buffer.alloc(17 * 2 ** 20)), 'larger than 16 MiB'],
])('%s', async (_name, answer, text) => {
  answerWith(answer);
  await expect(downloadPinned(file, never)).rejects.toThrow(text);
});

test('only http and https', async () => {
  await expect(downloadPinned({ ...file, url: 'file:///etc/passwd' }, never)).rejects.toThrow('only http and https');
});

test('an interruption is one', async () => {
  answerWith(() => Promise.reject(new Error('aborted')));
  await expect(downloadPinned(file, AbortSignal.abort())).rejects.toThrow(InterruptedError);
});
