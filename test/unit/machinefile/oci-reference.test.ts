import { describe, expect, test } from 'vitest';
import {
  formatReference,
  isLoopback,
  parseReference,
  parseRegistry,
  registryOrigin,
} from '../../../src/machinefile/oci-reference.ts';
import { failureOf } from '../boxes/oci/failure-of.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('parseReference', () => {
  test.each([
    ['registry.example.org/app:1.2', 'registry.example.org', 'app', '1.2'],
    ['registry.example.org:5000/team/app:1.2', 'registry.example.org:5000', 'team/app', '1.2'],
    ['localhost/app', 'localhost', 'app', 'latest'],
    ['box:80/a/b/c', 'box:80', 'a/b/c', 'latest'],
    ['127.0.0.1:5000/app:_x', '127.0.0.1:5000', 'app', '_x'],
    ['[::1]:5000/app', '[::1]:5000', 'app', 'latest'],
    ['GHCR.io/a.b/c_d/e__f/g---h:V1', 'ghcr.io', 'a.b/c_d/e__f/g---h', 'V1'],
  ])('%s', (text, registry, repository, tag) => {
    expect(parseReference(text)).toEqual({ registry, repository, tag, digest: undefined });
  });

  test('with a digest', () => {
    expect(parseReference(`ghcr.io/team/app@${DIGEST}`)).toEqual({
      registry: 'ghcr.io',
      repository: 'team/app',
      tag: undefined,
      digest: DIGEST,
    });
  });

  test.each([
    ['app', 'it names no registry'],
    ['team/app:1', 'it names no registry'],
    ['/app', 'it names no registry'],
    ['', 'it names no registry'],
    ['oci://ghcr.io/app', '“oci:” is not a registry'],
    ['ghcr.io:0/app', '“ghcr.io:0” is not a registry'],
    ['ghcr.io:65536/app', '“ghcr.io:65536” is not a registry'],
    ['-a.io/app', '“-a.io” is not a registry'],
    ['a..io/app', '“a..io” is not a registry'],
    ['user@ghcr.io/app', '“user@ghcr.io” is not a registry'],
    ['[1.2.3.4]:1/app', '“[1.2.3.4]:1” is not a registry'],
    ['ghcr.io/', '“” is not a repository'],
    ['ghcr.io/App', '“App” is not a repository'],
    ['ghcr.io/a//b', '“a//b” is not a repository'],
    ['ghcr.io/../b', '“../b” is not a repository'],
    ['ghcr.io/a___b', '“a___b” is not a repository'],
    ['ghcr.io/app-', '“app-” is not a repository'],
    ['ghcr.io/app?x', '“app?x” is not a repository'],
    ['ghcr.io/app:', '“” is not a tag'],
    ['ghcr.io/app:.1', '“.1” is not a tag'],
    [`ghcr.io/app:${'a'.repeat(129)}`, `“${'a'.repeat(129)}” is not a tag`],
    ['ghcr.io/app:1:2', 'it has more than one tag or digest'],
    [`ghcr.io/app@${DIGEST}@${DIGEST}`, 'it has more than one tag or digest'],
    [`ghcr.io/app:1@${DIGEST}`, 'it has a tag and a digest, which may differ'],
    ['ghcr.io/app@sha256:abc', '“sha256:abc” is not a digest, such as sha256:…'],
    [`ghcr.io/app@${DIGEST.toUpperCase()}`, `“${DIGEST.toUpperCase()}” is not a digest, such as sha256:…`],
    [`ghcr.io/${'a'.repeat(248)}`, 'its name is too long'],
  ])('%s: refused', (text, what) => {
    expect(failureOf(() => parseReference(text))).toBe(`“${text}” is not a box in a registry: ${what}`);
  });

  test('a name of 255 characters is not too long', () => {
    expect(parseReference(`ghcr.io/${'a'.repeat(247)}`).repository).toHaveLength(247);
  });
});

test('formatReference writes what parseReference reads', () => {
  for (const text of ['ghcr.io/team/app:1', `localhost:5000/app@${DIGEST}`]) {
    expect(formatReference(parseReference(text))).toBe(text);
  }
});

describe('parseRegistry', () => {
  test('takes a host with or without a port', () => {
    expect(parseRegistry('Registry:5000')).toBe('registry:5000');
    expect(parseRegistry('ghcr.io')).toBe('ghcr.io');
  });

  test.each(['', 'https://ghcr.io', 'ghcr.io/team', 'ghcr.io:x'])('refuses “%s”', (text) => {
    expect(failureOf(() => parseRegistry(text))).toBe(`“${text}” is not a registry`);
  });
});

describe('registryOrigin', () => {
  test.each([
    ['ghcr.io', 'https://ghcr.io'],
    ['10.0.0.1:5000', 'https://10.0.0.1:5000'],
    ['localhost.example.org', 'https://localhost.example.org'],
    ['127.example.org', 'https://127.example.org'],
    ['[::2]:1', 'https://[::2]:1'],
    ['localhost:5000', 'http://localhost:5000'],
    ['127.1.2.3', 'http://127.1.2.3'],
    ['[::1]:5000', 'http://[::1]:5000'],
    ['docker.io', 'https://registry-1.docker.io'],
  ])('%s is at %s', (registry, origin) => {
    expect(registryOrigin(registry)).toBe(origin);
    expect(isLoopback(registry)).toBe(origin.startsWith('http:'));
  });
});
