import { expect, test } from 'vitest';
import { explainConnectError } from '../../../src/communicators/ssh-failures.ts';

const endpoint = {
  hostIp: '127.0.0.1',
  port: 22_101,
  user: 'vm',
  privateKeyPath: '/m/id',
  hostKey: 'ssh-ed25519 AAAA',
};

/** As ssh2 1.17 reports it. */
function ssh2Error(message: string, facts: { level?: string; code?: string } = {}): Error {
  return Object.assign(new Error(message), facts);
}

test.each([
  [
    ssh2Error('Host denied (verification failed)', { level: 'handshake' }),
    Buffer.from('key'),
    'other_host_key',
    'SHA256:',
  ],
  [ssh2Error('Handshake failed: no matching host key format'), undefined, 'other_host_key', 'of another type'],
  [
    ssh2Error('All configured authentication methods failed', { level: 'client-authentication' }),
    undefined,
    'key_refused',
    'refuses the key /m/id for user vm',
  ],
  [ssh2Error('Timed out', { level: 'client-timeout' }), undefined, 'timed_out', 'in time'],
  [
    ssh2Error('connect ECONNREFUSED', { level: 'client-socket', code: 'ECONNREFUSED' }),
    undefined,
    'unreachable',
    '127.0.0.1:22101',
  ],
  [ssh2Error('read ECONNRESET', { level: 'client-socket', code: 'ECONNRESET' }), undefined, 'closed', 'broke'],
  [ssh2Error('Connection lost before handshake', { level: 'protocol' }), undefined, 'closed', 'broke'],
])('%s', (error, foreignHostKey, failure, text) => {
  const explained = explainConnectError(error, { endpoint, foreignHostKey });
  expect(explained).toMatchObject({ failure, cause: error });
  expect(explained.message).toContain(text);
});
