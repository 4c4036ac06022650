import { describe, expect, test } from 'vitest';
import { type BoxDocument, parseBox, placeOf } from '../../../../src/machinefile/forms/box.ts';
import { isMistake } from '../../../../src/machinefile/forms/parsed.ts';
import { parseConstraint } from '../../../../src/machinefile/versions.ts';

const HEX = '0123456789ABCDEF'.repeat(4);
const checksum = { algorithm: 'sha256', hex: HEX.toLowerCase() };
const PLAIN = { version: undefined, checksum: undefined };

describe('where a box comes from', () => {
  test.each<[BoxDocument, object]>([
    ['tiny', { kind: 'name', name: 'tiny', version: undefined }],
    ['debian/12', { kind: 'name', name: 'debian/12', version: undefined }],
    ['team/app@1.2.0', { kind: 'name', name: 'team/app', version: parseConstraint('1.2.0') }],
    ['team/app@~> 1.2, < 1.9', { kind: 'name', name: 'team/app', version: parseConstraint('~> 1.2, < 1.9') }],
    [{ name: 'team/app' }, { kind: 'name', name: 'team/app', version: undefined }],
    [
      { name: 'team/app', version: '>= 1' },
      { kind: 'name', name: 'team/app', version: parseConstraint('>= 1') },
    ],
    ['./b.qcow2', { kind: 'path', path: './b.qcow2', ...PLAIN }],
    ['../b@1.box', { kind: 'path', path: '../b@1.box', ...PLAIN }],
    ['/srv/b', { kind: 'path', path: '/srv/b', ...PLAIN }],
    ['~/b', { kind: 'path', path: '~/b', ...PLAIN }],
    [{ path: 'b.json' }, { kind: 'path', path: 'b.json', ...PLAIN }],
    [
      { path: 'b.json', version: '~> 1.2', checksum: `sha256:${HEX}` },
      { kind: 'path', path: 'b.json', version: parseConstraint('~> 1.2'), checksum },
    ],
    ['https://x.example/b@1', { kind: 'url', url: 'https://x.example/b@1', ...PLAIN }],
    ['http://x.example/b.json', { kind: 'url', url: 'http://x.example/b.json', ...PLAIN }],
    [
      { url: 'https://x.example/b', version: '1.2', checksum: `sha256:${HEX}` },
      { kind: 'url', url: 'https://x.example/b', version: parseConstraint('1.2'), checksum },
    ],
    ['oci://x.example/app:1', { kind: 'oci', reference: 'x.example/app:1' }],
  ])('%j', (written, value) => {
    expect(parseBox(written)).toEqual({ value });
  });

  test('the version in a mapping may look like a number', () => {
    expect(parseBox({ name: 'tiny', version: 2 })).toMatchObject({ value: { version: { text: '2' } } });
  });
});

describe('what is no box', () => {
  const FORMS = '(allowed: name, name@version, ./path, https://…, oci://…)';
  const VERSIONS = '(allowed: 1.2.0, or constraints such as ~> 1.2, < 2)';

  test.each<[BoxDocument, string]>([
    ['Tiny', `“Tiny” is not a box ${FORMS}`],
    ['tiny@', `“tiny@” is not a box ${FORMS}`],
    ['tiny/', `“tiny/” is not a box ${FORMS}`],
    ['https://', `“https://” is not a box ${FORMS}`],
    ['oci://', '“” is not a box in a registry: it names no registry'],
    ['oci://team/app:1', '“team/app:1” is not a box in a registry: it names no registry'],
    ['ftp://x.example/b', `“ftp://x.example/b” is not a box ${FORMS}`],
    ['tiny@newest', `“newest” is not a version ${VERSIONS}`],
    ['tiny@~> 1, <', `“~> 1, <” is not a version ${VERSIONS}`],
    [{ path: 'b', version: '1..2' }, `“1..2” is not a version ${VERSIONS}`],
    [{}, 'a box needs one of “name”, “path” and “url”'],
    [{ version: '1' }, 'a box needs one of “name”, “path” and “url”'],
    [
      { name: 'tiny', url: 'https://x.example/b' },
      'a box needs one of “name”, “path” and “url”, not “name” and “url” together',
    ],
    [{ name: 'tiny', checksum: `sha256:${HEX}` }, '“checksum” goes with the “path” or “url” of a box'],
  ])('%j', (written, mistake) => {
    expect(parseBox(written)).toEqual({ mistake });
  });

  test.each(['qcow2', 'img', 'raw', 'box', 'vmdk', 'vdi', 'vhd', 'vhdx', 'ova', 'xz', 'gz', 'zst', 'bz2'])(
    'a file whose name ends with .%s, without ./',
    (end) => {
      const mistake = `“images/b.${end}” looks like a file (write “./images/b.${end}” for a path)`;
      expect(parseBox(`images/b.${end}`)).toEqual({ mistake });
    },
  );
});

test.each([
  ['debian/12@1.0', 'debian/12'],
  ['./b.qcow2', './b.qcow2'],
  ['https://x.example/b', 'https://x.example/b'],
  ['oci://x.example/app:1', 'oci://x.example/app:1'],
])('%s is asked for by %s', (written, place) => {
  const parsed = parseBox(written);
  expect(isMistake(parsed) ? parsed : placeOf(parsed.value)).toBe(place);
});
