import { describe, expect, test } from 'vitest';
import { CATALOG_MAX_BYTES, parseCatalog } from '../../../../src/boxes/vagrant/catalog.ts';
import { VmError } from '../../../../src/errors.ts';

const SHA256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

/** A catalog with one box, which has these fields beside its name and URL. */
const withBox = (fields: object) =>
  JSON.stringify({
    versions: [{ version: '1', providers: [{ name: 'libvirt', url: 'https://example.org/a.box', ...fields }] }],
  });

const soleBoxOf = (text: string) => parseCatalog(text, 'shop.json').versions[0]?.boxes[0];

function mistakeOf(text: string): string {
  try {
    parseCatalog(text, 'shop.json');
  } catch (error) {
    if (error instanceof VmError && error.hint !== undefined) return error.message;
    throw error;
  }
  return 'none';
}

describe('parseCatalog', () => {
  test('reads what a Vagrant server answers, and passes over what it does not know', () => {
    const text = JSON.stringify({
      '@context': 'https://vagrantcloud.com',
      name: 'debian/bookworm64',
      short_description: null,
      versions: [
        {
          version: '12.20240905.1',
          status: 'active',
          providers: [
            {
              name: 'libvirt',
              url: '../boxes/bookworm.box',
              checksum: SHA256.toUpperCase(),
              checksum_type: 'SHA256',
              architecture: 'amd64',
              default_architecture: true,
            },
            { name: 'virtualbox', url: 'https://example.org/v.box', checksum: null, checksum_type: null },
          ],
        },
        { version: ' 12.20240905.0 ', providers: [] },
        { version: '11.0' },
      ],
    });
    expect(parseCatalog(text, 'https://example.org/debian/bookworm64')).toEqual({
      name: 'debian/bookworm64',
      versions: [
        {
          version: '12.20240905.1',
          boxes: [
            {
              provider: 'libvirt',
              url: '../boxes/bookworm.box',
              checksum: { algorithm: 'sha256', hex: SHA256 },
              architecture: 'amd64',
              isDefaultArchitecture: true,
            },
            {
              provider: 'virtualbox',
              url: 'https://example.org/v.box',
              checksum: undefined,
              architecture: undefined,
              isDefaultArchitecture: undefined,
            },
          ],
        },
        { version: '12.20240905.0', boxes: [] },
        { version: '11.0', boxes: [] },
      ],
    });
  });

  test('a catalog without a name is called what it is shown as', () => {
    expect(parseCatalog('{"versions": []}', './shop.json')).toEqual({ name: './shop.json', versions: [] });
  });

  test('malformed versions are passed over, with what is wrong in them', () => {
    const text = '{"versions": [{"version": "v1", "providers": [{}]}, {"version": "2.0-rc1"}]}';
    expect(parseCatalog(text, 'shop.json').versions).toEqual([{ version: '2.0-rc1', boxes: [] }]);
  });

  test.each([
    ['md5', 32],
    ['sha1', 40],
    ['sha256', 64],
    ['sha384', 96],
    ['sha512', 128],
  ])('a checksum may be %s', (type, digits) => {
    const hex = 'a'.repeat(digits);
    expect(soleBoxOf(withBox({ checksum: hex, checksum_type: type }))?.checksum).toEqual({ algorithm: type, hex });
    expect(mistakeOf(withBox({ checksum: `${hex}a`, checksum_type: type }))).toBe(
      `shop.json: versions[0].providers[0].checksum is not a checksum of the type “${type}”`,
    );
  });

  test.each([{ checksum: SHA256 }, { checksum_type: 'sha256' }, { checksum: '', checksum_type: 'sha256' }])(
    'half a checksum is none: %j',
    (fields) => {
      const box = soleBoxOf(withBox(fields));
      expect(box?.url).toBe('https://example.org/a.box');
      expect(box?.checksum).toBeUndefined();
    },
  );

  test.each([
    [{ url: undefined }, 'url is missing'],
    [{ url: ' ' }, 'url is missing'],
    [{ url: 7 }, 'url is not a text'],
    [{ name: null }, 'name is missing'],
    [{ name: 'lib\u001b[2Jvirt' }, 'name has control characters'],
    [{ architecture: ['amd64'] }, 'architecture is not a text'],
    [{ default_architecture: 'yes' }, 'default_architecture is not true or false'],
    [{ checksum: SHA256, checksum_type: 'crc32' }, 'checksum is not a checksum of the type “crc32”'],
    [{ checksum: `${SHA256.slice(1)}g`, checksum_type: 'sha256' }, 'checksum is not a checksum of the type “sha256”'],
  ])('%j → %s', (fields, expected) => {
    expect(mistakeOf(withBox(fields))).toBe(`shop.json: versions[0].providers[0].${expected}`);
  });

  test.each([
    ['<html>', 'shop.json is not JSON'],
    ['[]', 'shop.json is not a JSON object'],
    ['null', 'shop.json is not a JSON object'],
    ['{"errors": ["not found"]}', 'shop.json: versions is missing'],
    ['{"versions": {}}', 'shop.json: versions is not a list'],
    ['{"versions": [{"version": "1"}, "2"]}', 'shop.json: versions[1] is not an object'],
    ['{"versions": [{}]}', 'shop.json: versions[0].version is missing'],
    ['{"versions": [{"version": 1.1}]}', 'shop.json: versions[0].version is not a text'],
    ['{"versions": [{"version": "1", "providers": [[]]}]}', 'shop.json: versions[0].providers[0] is not an object'],
  ])('%s → %s', (text, expected) => {
    expect(mistakeOf(text)).toBe(expected);
  });

  test('the limit is in bytes, and may be reached', () => {
    const filled = (characters: number, name = 'e') => `{"versions": [], "name": "${name}"}`.padEnd(characters);
    const tooLarge = 'shop.json is no catalog of boxes: it has more than 20 MiB';
    expect(mistakeOf(filled(CATALOG_MAX_BYTES))).toBe('none');
    expect(mistakeOf(filled(CATALOG_MAX_BYTES + 1))).toBe(tooLarge);
    expect(mistakeOf(filled(CATALOG_MAX_BYTES, 'é'))).toBe(tooLarge);
  });
});
