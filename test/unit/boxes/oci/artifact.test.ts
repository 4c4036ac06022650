import { describe, expect, test } from 'vitest';
import { type Chunk, checkComplete, formatManifest, parseManifest } from '../../../../src/boxes/oci/artifact.ts';
import { MAX_MANIFEST_BYTES } from '../../../../src/boxes/oci/registry.ts';
import { failureOf } from './failure-of.ts';
import { HEX, sampleConfig, sampleManifest } from './sample-box.ts';

const MIB = 2 ** 20;
const SHOWN_AS = 'ghcr.io/app:1';
const { chunks } = sampleManifest;
const [first, second] = chunks as readonly [Chunk, Chunk, ...Chunk[]];

interface Document {
  readonly layers: readonly [Layer, ...Layer[]];
  readonly [field: string]: unknown;
}

interface Layer {
  readonly annotations: object;
  readonly [field: string]: unknown;
}

const document = JSON.parse(formatManifest(sampleManifest, sampleConfig).toString()) as Document;

function mistakeIn(fields: object): string {
  const message = failureOf(() => parseManifest(JSON.stringify({ ...document, ...fields }), SHOWN_AS));
  return message.replace(`${SHOWN_AS}: `, '');
}

describe('formatManifest', () => {
  test('is an OCI artifact', () => {
    expect(document).toMatchObject({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/vnd.machinefile.box.v1',
      config: { mediaType: 'application/vnd.machinefile.box.config.v1+json', digest: `sha256:${HEX}`, size: 500 },
      annotations: { 'org.opencontainers.image.title': 'team/app', 'org.opencontainers.image.version': '1.2.0' },
    });
    expect(document.layers[1]).toEqual({
      mediaType: 'application/vnd.machinefile.box.chunk.v1+zstd',
      digest: `sha256:${HEX}`,
      size: 1000,
      annotations: {
        'io.machinefile.chunk.file': 'disk.qcow2',
        'io.machinefile.chunk.offset': '67108864',
        'io.machinefile.chunk.length': '6291456',
        'io.machinefile.chunk.sha256': HEX,
      },
    });
  });

  test('what it writes is read', () => {
    expect(parseManifest(JSON.stringify(document), SHOWN_AS)).toEqual(sampleManifest);
  });

  test('the largest box fits into what registries take', () => {
    const largest = Array.from({ length: 10_000 }, (_, i) => ({
      ...first,
      offset: i * 32 * MIB,
      blob: { ...first.blob, size: 33 * MIB },
    }));
    const bytes = formatManifest({ ...sampleManifest, chunks: largest }, sampleConfig);
    expect(bytes.length).toBeLessThan(MAX_MANIFEST_BYTES);
    expect(parseManifest(bytes.toString(), SHOWN_AS).chunks).toHaveLength(10_000);
  });
});

describe('parseManifest', () => {
  test('an image of a container is no box', () => {
    const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${HEX}`, size: 5 };
    expect(mistakeIn({ artifactType: undefined, config })).toBe(
      'ghcr.io/app:1 is not a box, but application/vnd.oci.image.config.v1+json',
    );
    expect(mistakeIn({ artifactType: undefined, config: undefined })).toBe(
      'ghcr.io/app:1 is not a box, but something else',
    );
  });

  test.each<[string, object]>([
    ['mediaType is “x”, not application/vnd.oci.image.manifest.v1+json', { mediaType: 'x' }],
    ['config is missing', { config: null }],
    ['config.digest is not a SHA-256', { config: { ...sampleManifest.config, digest: 'sha512:00' } }],
    ['config.size is larger than 65536', { config: { ...sampleManifest.config, size: 65_537 } }],
    [
      'config.mediaType is “x”, not application/vnd.machinefile.box.config.v1+json',
      { config: { ...sampleManifest.config, mediaType: 'x' } },
    ],
    ['layers are more than 10000', { layers: Array(10_001).fill(document.layers[0]) }],
  ])('%s', (what, fields) => {
    expect(mistakeIn(fields)).toBe(what);
  });

  const layer = document.layers[0];
  const annotated = (annotations: object) => ({ annotations: { ...layer.annotations, ...annotations } });

  test.each<[string, object]>([
    ['mediaType is “a/b”, not application/vnd.machinefile.box.chunk.v1+zstd', { mediaType: 'a/b' }],
    ['digest is not a SHA-256', { digest: `sha256:${HEX}/../x` }],
    ['size is not a whole number', { size: '1000' }],
    ['size is larger than 67108864', { size: 64 * MIB + 1 }],
    ['annotations is missing', { annotations: undefined }],
    [
      'annotations.io.machinefile.chunk.file is “/etc/passwd”, not disk.qcow2 or vmlinuz or vmlinux or initrd.img',
      annotated({ 'io.machinefile.chunk.file': '/etc/passwd' }),
    ],
    ['annotations.io.machinefile.chunk.length is 0', annotated({ 'io.machinefile.chunk.length': '0' })],
    [
      'annotations.io.machinefile.chunk.length is larger than 67108864',
      annotated({ 'io.machinefile.chunk.length': '67108865' }),
    ],
    [
      'annotations.io.machinefile.chunk.offset is not a whole number',
      annotated({ 'io.machinefile.chunk.offset': '-1' }),
    ],
    [
      'annotations.io.machinefile.chunk.offset is not a whole number',
      annotated({ 'io.machinefile.chunk.offset': '99999999999999999999' }),
    ],
    ['annotations.io.machinefile.chunk.offset is not a text', annotated({ 'io.machinefile.chunk.offset': 0 })],
    [
      'annotations.io.machinefile.chunk.offset is larger than 17592152489984',
      annotated({ 'io.machinefile.chunk.offset': String(2 ** 44 - 32 * MIB + 1) }),
    ],
    [
      'annotations.io.machinefile.chunk.sha256 has another form than it must',
      annotated({ 'io.machinefile.chunk.sha256': `${HEX}0` }),
    ],
  ])('a chunk: %s', (what, fields) => {
    expect(mistakeIn({ layers: [{ ...layer, ...fields }] })).toBe(`layers[0].${what}`);
  });

  test('a chunk of a further disk', () => {
    const chunk = { ...first, file: 'disk-15.qcow2' as const };
    const text = formatManifest({ ...sampleManifest, chunks: [chunk] }, sampleConfig).toString();
    expect(parseManifest(text, SHOWN_AS).chunks).toEqual([chunk]);
  });

  test('chunks of one file that overlap, also with those of another between them', () => {
    const overlapping = [first, chunks[2], { ...second, offset: 32 * MIB - 1 }] as readonly Chunk[];
    const text = formatManifest({ ...sampleManifest, chunks: overlapping }, sampleConfig).toString();
    expect(failureOf(() => parseManifest(text, SHOWN_AS))).toBe(
      'ghcr.io/app:1: layers[2].annotations overlap what is before them in disk.qcow2',
    );
  });
});

describe('checkComplete', () => {
  const check = (some: readonly Chunk[], files = sampleConfig.files) =>
    failureOf(() => checkComplete(some, { ...sampleConfig, files }, SHOWN_AS));

  test('takes all chunks of all files', () => {
    expect(check(chunks)).toBe('none');
  });

  test.each([
    ['it has 1 of 2 chunks of disk.qcow2', chunks.slice(1)],
    ['it has 0 of 1 chunks of initrd.img', chunks.slice(0, -1)],
    ['disk.qcow2 ends before its last chunk', [first, { ...second, offset: 64 * MIB + 1 }, ...chunks.slice(2)]],
  ])('%s', (what, some) => {
    expect(check(some)).toBe(`ghcr.io/app:1 is damaged: ${what}`);
  });

  test('refuses chunks of a file that is not in the box', () => {
    expect(check(chunks, sampleConfig.files.slice(0, 1))).toBe(
      'ghcr.io/app:1 is damaged: it has chunks of vmlinuz, which is not in the box',
    );
  });
});
