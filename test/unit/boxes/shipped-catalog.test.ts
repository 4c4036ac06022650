import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ImageCatalog, parseImageCatalog } from '../../../src/boxes/image-catalog-text.ts';
import { formatWantedChecksum } from '../../../src/http/checksum.ts';
import { rootDir } from '../../support/paths.ts';

const file = join(rootDir, 'boxes/catalog.yaml');

let yaml: string;
let catalog: ImageCatalog;

beforeAll(async () => {
  yaml = await readFile(file, 'utf8');
  // That every name is there once is a part of being YAML.
  catalog = parseImageCatalog({ file, yaml });
});

/** Upstream has no image for it. */
const ONLY_X86_64 = ['archlinux'];

test.each([
  'debian/12',
  'debian/13',
  'ubuntu/',
  'fedora/',
  'almalinux/',
  'rocky/',
  'opensuse',
  'arch',
  'alpine/',
  'freebsd/',
])('it has %s', (prefix) => {
  expect([...catalog.keys()].filter((name) => name.startsWith(prefix))).not.toEqual([]);
});

test('every box is there for both architectures, where upstream has both, and says its user', () => {
  for (const [name, { images, user }] of catalog) {
    expect([name, ...images.keys()]).toEqual([name, 'x86_64', ...(ONLY_X86_64.includes(name) ? [] : ['aarch64'])]);
    expect([name, user]).toEqual([name, expect.any(String)]);
  }
});

describe('addresses', () => {
  const imagesOf = () =>
    [...catalog].flatMap(([name, { images, version }]) =>
      [...images].map(([arch, image]) => ({ name, arch, version, ...image })),
    );

  test('all are https, and each image has its own', () => {
    const urls = imagesOf().flatMap(({ url, mirrors = [] }) => [url, ...mirrors]);
    const lists = imagesOf().map(({ checksum }) => formatWantedChecksum(checksum));
    for (const url of [...urls, ...lists]) expect(url).toMatch(/^https:\/\/[a-z0-9.-]+\/\S+$/);
    expect(new Set(urls).size).toBe(urls.length);
  });

  test('mirrors have the same file, and the list of checksums is beside the image', () => {
    for (const { url, mirrors = [], checksum } of imagesOf()) {
      for (const mirror of mirrors) expect(new URL(mirror).pathname.split('/').at(-1)).toBe(url.split('/').at(-1));
      expect(formatWantedChecksum(checksum)).toMatch(new RegExp(`^${url.slice(0, url.lastIndexOf('/') + 1)}[^/]+$`));
    }
  });

  test('they name their architecture, and no other', () => {
    const words = { x86_64: /amd64|x86_64/, aarch64: /arm64|aarch64/ };
    for (const { url, arch } of imagesOf()) {
      expect(url).toMatch(words[arch]);
      expect(url).not.toMatch(words[arch === 'x86_64' ? 'aarch64' : 'x86_64']);
    }
  });

  test('what has a version has it in its address; what is “latest” has none', () => {
    for (const { url, version, name } of imagesOf()) {
      if (version === undefined) expect(name).toMatch(/^(debian|ubuntu|almalinux|rocky|opensuse-leap)\/|^archlinux$/);
      else expect(url).toContain(version);
    }
  });
});

test('it says when the addresses were written down, and that they were not tried', () => {
  expect(yaml).toMatch(/^# The addresses were written down on \d{4}-\d\d-\d\d\. .*cannot be reached/m);
});
