import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AddOptions, parseBoxToAdd } from '../../../src/cli/box-to-add.ts';
import { UsageError } from '../../../src/errors.ts';
import { parseConstraint } from '../../../src/machinefile/versions.ts';

const URL = 'https://x.example/b.qcow2';
const HEX = '0123456789ABCDEF'.repeat(4);

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-add-'));
  await writeFile(join(dir, 'b.qcow2'), '');
});

afterAll(() => rm(dir, { recursive: true }));

function parse(source: string, options: AddOptions = {}) {
  return parseBoxToAdd(source, options, dir);
}

describe('where it is', () => {
  test.each(['b.qcow2', './b.qcow2', 'x/../b.qcow2'])('%s is a file', (source) => {
    expect(parse(source)).toEqual({
      reference: { kind: 'path', path: join(dir, 'b.qcow2'), version: undefined, checksum: undefined },
      called: undefined,
    });
  });

  test('an absolute path stays', () => {
    expect(parse(join(dir, 'b.qcow2')).reference).toMatchObject({ kind: 'path', path: join(dir, 'b.qcow2') });
  });

  test.each([URL, 'http://x.example/b'])('%s is an address', (url) => {
    expect(parse(url)).toEqual({
      reference: { kind: 'url', url, version: undefined, checksum: undefined },
      called: undefined,
    });
  });

  test.each(['debian/12', 'ftp://x.example/b', 'file:///b.qcow2'])('%s is neither', (source) => {
    expect(() => parse(source)).toThrow(
      new UsageError(`there is no file ${source}`, { hint: 'give a path, or an http:// or https:// URL' }),
    );
  });
});

describe('how it is called, and which of a catalog it is', () => {
  test.each<[AddOptions, { called: object | undefined; version: string | undefined }]>([
    [{}, { called: undefined, version: undefined }],
    [{ name: 'team/app' }, { called: { name: 'team/app', version: '0', isNamed: true }, version: undefined }],
    [{ version: '1.2.0' }, { called: undefined, version: '1.2.0' }],
    [{ version: '~> 1.2' }, { called: undefined, version: '~> 1.2' }],
    [
      { name: 'a.b_c-1', version: '1.2.0' },
      { called: { name: 'a.b_c-1', version: '1.2.0', isNamed: true }, version: '1.2.0' },
    ],
    // The constraint chooses in a catalog; it is no version that something else could get.
    [
      { name: 'app', version: '~> 1.2' },
      { called: { name: 'app', version: '0', isNamed: true }, version: '~> 1.2' },
    ],
  ])('%j', (options, { called, version }) => {
    const parsed = parse(URL, options);
    expect(parsed.called).toEqual(called);
    expect(parsed.reference.version).toEqual(version === undefined ? undefined : parseConstraint(version));
  });
});

test.each([
  [`sha256:${HEX}`, 'sha256'],
  [HEX, 'sha256'],
  [`sha512:${HEX}${HEX}`, 'sha512'],
])('the checksum %s', (checksum, algorithm) => {
  const hex = checksum.replace(/^.*:/, '').toLowerCase();
  expect(parse('b.qcow2', { checksum }).reference.checksum).toEqual({ algorithm, hex });
});

describe('what means nothing', () => {
  test.each<[AddOptions, string]>([
    [{ name: 'Team/App' }, '“Team/App” is not a name for a box'],
    [{ name: '' }, '“” is not a name for a box'],
    [{ name: 'a/../b' }, '“a/../b” is not a name for a box'],
    [{ version: 'newest' }, '“newest” is not a version'],
    [{ checksum: 'sha256:123' }, '“sha256:123” is not a checksum'],
    [{ checksum: `crc:${HEX}` }, `“crc:${HEX}” is not a checksum`],
  ])('%j', (options, message) => {
    expect(() => parse(URL, options)).toThrow(
      expect.objectContaining({ name: 'UsageError', message, hint: expect.any(String) }),
    );
  });
});
