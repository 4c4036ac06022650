import { expect, test } from 'vitest';
import { proxyFor } from '../../../src/http/proxy.ts';

test.each([
  ['no variable', 'https://a.test/', {}, undefined],
  ['by scheme', 'https://a.test/', { http_proxy: 'http://p:1', https_proxy: 'http://p:2' }, 'http://p:2'],
  ['by scheme, http', 'http://a.test/', { http_proxy: 'http://p:1', https_proxy: 'http://p:2' }, 'http://p:1'],
  ['upper case', 'https://a.test/', { HTTPS_PROXY: 'http://p:2' }, 'http://p:2'],
  ['lower case before upper', 'https://a.test/', { https_proxy: 'http://l', HTTPS_PROXY: 'http://u' }, 'http://l'],
  ['an empty one is none', 'https://a.test/', { https_proxy: '', all_proxy: 'http://p:3' }, 'http://p:3'],
  [
    'all_proxy is for what has none',
    'http://a.test/',
    { all_proxy: 'http://p:3', http_proxy: 'http://p:1' },
    'http://p:1',
  ],
  ['without a scheme', 'http://a.test/', { http_proxy: 'p:1' }, 'http://p:1'],
])('%s', (_what, url, env, proxy) => {
  expect(proxyFor(new URL(url), env)).toBe(proxy);
});

test.each([
  ['*', 'https://a.test/', true],
  ['a.test', 'https://a.test/', true],
  ['A.Test', 'https://a.test/', true],
  ['a.test', 'https://sub.a.test/', true],
  ['.a.test', 'https://sub.a.test/', true],
  ['.a.test', 'https://a.test/', true],
  ['*.a.test', 'https://sub.a.test/', true],
  ['a.test', 'https://aa.test/', false],
  ['a.test', 'https://a.test.example/', false],
  ['b.test, a.test', 'https://a.test/', true],
  ['b.test a.test', 'https://a.test/', true],
  ['a.test:443', 'https://a.test/', true],
  ['a.test:8443', 'https://a.test/', false],
  ['a.test:8443', 'https://a.test:8443/', true],
  ['127.0.0.1', 'http://127.0.0.1:5000/', true],
  ['10.0.0.0/8', 'http://10.1.2.3/', true],
  ['10.0.0.0/8', 'http://11.1.2.3/', false],
  ['10.0.0.0/8', 'http://ten.test/', false],
  ['10.0.0.0/99', 'http://10.1.2.3/', false],
  ['::1', 'http://[::1]:5000/', true],
  ['[::1]:5000', 'http://[::1]:5000/', true],
  ['[::1]:5001', 'http://[::1]:5000/', false],
  ['fd00::/8', 'http://[fd12::1]/', true],
  ['fd00::/8', 'http://[fe80::1]/', false],
  ['', 'https://a.test/', false],
])('no_proxy %s and %s: %s', (noProxy, url, isExcepted) => {
  const env = { all_proxy: 'http://p:1', no_proxy: noProxy };
  expect(proxyFor(new URL(url), env)).toBe(isExcepted ? undefined : 'http://p:1');
});
