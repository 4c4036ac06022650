import { describe, expect, test } from 'vitest';
import { type BoxConfig, formatConfig, parseConfig } from '../../../../src/boxes/oci/box-config.ts';
import { failureOf } from './failure-of.ts';
import { HEX, sampleConfig } from './sample-box.ts';

const parse = (text: string) => parseConfig(text, 'ghcr.io/app:1');
const { commandLine: _, ...factsWithoutKernel } = sampleConfig;
const [disk, kernel] = sampleConfig.files;

/** With these further disks, and the files of these names. */
const withDisks = (count: number, ...names: readonly string[]) => ({
  extraDisks: Array.from({ length: count }, (_, i) => ({ virtualSizeBytes: 2 ** 20 + i })),
  commandLine: undefined,
  files: names.map((name) => ({ ...disk, name })),
});

/** What is said of the sample with these fields instead of its own. */
function mistakeIn(fields: object): string {
  const message = failureOf(() => parse(JSON.stringify({ ...sampleConfig, ...fields })));
  return message.replace('the description of ghcr.io/app:1: ', '');
}

describe('formatConfig', () => {
  test('what it writes is read', () => {
    expect(parse(formatConfig(sampleConfig).toString())).toEqual(sampleConfig);
  });

  test('a box without a kernel', () => {
    const config = { ...sampleConfig, commandLine: undefined, files: sampleConfig.files.slice(0, 1) };
    expect(parse(formatConfig(config).toString())).toEqual(config);
  });

  test('a box with further disks; one without says nothing of them', () => {
    const config = { ...sampleConfig, ...withDisks(2, 'disk.qcow2', 'disk-1.qcow2', 'disk-2.qcow2') } as BoxConfig;
    expect(parse(formatConfig(config).toString())).toEqual(config);
    expect(formatConfig(sampleConfig).toString()).not.toContain('extraDisks');
  });

  test('always the same bytes, and only what belongs to the box', () => {
    const other = { key: 'k', source: '/home/ann/box', ...Object.fromEntries(Object.entries(sampleConfig).reverse()) };
    expect(formatConfig({ ...sampleConfig, ...other })).toEqual(formatConfig(sampleConfig));
    expect(formatConfig({ ...sampleConfig, ...other }).toString()).not.toContain('/home');
  });
});

describe('parseConfig', () => {
  test.each<[string, object]>([
    ['name is missing', { name: ' ' }],
    ['name is not a text', { name: 1 }],
    ['name has control characters', { name: 'a\u001b[2J' }],
    ['name is longer than 255', { name: 'a'.repeat(256) }],
    ['version is missing', { version: undefined }],
    ['arch is “riscv64”, not x86_64 or aarch64', { arch: 'riscv64' }],
    ['seed is “constructor”, not machinefile or cloud-init or vagrant', { seed: 'constructor' }],
    ['user has another form than it must', { user: '-oProxyCommand=x' }],
    ['user has another form than it must', { user: 'a b' }],
    ['virtualSizeBytes is not a whole number', { virtualSizeBytes: '1' }],
    ['virtualSizeBytes is not a whole number', { virtualSizeBytes: -1 }],
    ['virtualSizeBytes is not a whole number', { virtualSizeBytes: 0.5 }],
    ['virtualSizeBytes is larger than 17592186044416', { virtualSizeBytes: 2 ** 44 + 1 }],
    ['commandLine is longer than 2048', { commandLine: 'x'.repeat(2049) }],
    ['commandLine has control characters', { commandLine: 'a\nb' }],
    ['files is not a list', { files: {} }],
    ['files[0] is not an object', { files: ['disk.qcow2'] }],
    [
      'files[0].name is “../disk.qcow2”, not disk.qcow2 or vmlinuz or vmlinux or initrd.img',
      { files: [{ ...disk, name: '../disk.qcow2' }] },
    ],
    ['files[0].bytes is larger than 17592186044416', { files: [{ ...disk, bytes: 2 ** 44 + 1 }] }],
    ['files[0].sha256 has another form than it must', { files: [{ ...disk, sha256: HEX.toUpperCase() }] }],
    ['files[0].chunks is larger than 10000', { files: [{ ...disk, chunks: 10_001 }] }],
    ['files are none, not disk.qcow2, vmlinuz, vmlinux, initrd.img', { files: undefined }],
    ['files are disk.qcow2, not disk.qcow2, vmlinuz, vmlinux, initrd.img', { files: [disk] }],
    [
      'files are disk.qcow2, vmlinuz, vmlinuz, vmlinuz, not disk.qcow2, vmlinuz, vmlinux, initrd.img',
      { files: [disk, kernel, kernel, kernel] },
    ],
    ['files are disk.qcow2, vmlinuz, not disk.qcow2', { commandLine: undefined, files: [disk, kernel] }],
    ['files are vmlinuz, not disk.qcow2', { commandLine: undefined, files: [kernel] }],
    ['files are disk.qcow2, not disk.qcow2, disk-1.qcow2', withDisks(1, 'disk.qcow2')],
    ['files are disk.qcow2, disk-1.qcow2, not disk.qcow2', withDisks(0, 'disk.qcow2', 'disk-1.qcow2')],
    [
      'files are disk.qcow2, disk-1.qcow2, disk-3.qcow2, not disk.qcow2, disk-1.qcow2, disk-2.qcow2',
      withDisks(2, 'disk.qcow2', 'disk-1.qcow2', 'disk-3.qcow2'),
    ],
    ['extraDisks are more than 15', withDisks(16, 'disk.qcow2')],
    [
      'extraDisks[0].virtualSizeBytes is larger than 17592186044416',
      { extraDisks: [{ virtualSizeBytes: 2 ** 44 + 1 }] },
    ],
    ['extraDisks[0] is not an object', { extraDisks: [1] }],
  ])('%s', (what, fields) => {
    expect(mistakeIn(fields)).toBe(what);
  });

  test.each(['disk-0.qcow2', 'disk-01.qcow2', 'disk-16.qcow2', 'disk-.qcow2', 'disk-1.qcow2/../x'])(
    '%s is the name of no disk',
    (name) => {
      expect(mistakeIn(withDisks(1, 'disk.qcow2', name))).toBe(
        `files[1].name is “${name}”, not disk.qcow2 or vmlinuz or vmlinux or initrd.img`,
      );
    },
  );

  test('a kernel needs its command line', () => {
    expect(failureOf(() => parse(JSON.stringify(factsWithoutKernel)))).toContain('files are disk.qcow2, vmlinuz');
  });

  test.each(['', '[]', 'null', '{'])('“%s” is none', (text) => {
    expect(failureOf(() => parse(text))).toMatch(/^the description of ghcr.io\/app:1 is not (a )?JSON/);
  });
});
