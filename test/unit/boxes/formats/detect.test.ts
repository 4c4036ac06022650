import { describe, expect, test } from 'vitest';
import { BEGINNING_BYTES, detectImageFormat } from '../../../../src/boxes/formats/detect.ts';

const NOTHING = Buffer.alloc(512);

/** A beginning that has these bytes, one a character, at these places. */
function beginning(...parts: readonly (readonly [at: number, bytes: string])[]): Buffer {
  const buffer = Buffer.alloc(BEGINNING_BYTES);
  for (const [at, bytes] of parts) buffer.write(bytes, at, 'latin1');
  return buffer;
}

const BOOT_SIGNATURE = [510, '\x55\xaa'] as const;

describe('detectImageFormat', () => {
  test.each([
    ['qcow2', [0, 'QFI\xfb\0\0\0\x03']],
    ['qcow2', [0, 'QFI\xfb\0\0\0\x02']],
    ['qcow', [0, 'QFI\xfb\0\0\0\x01']],
    ['vmdk', [0, 'KDMV']],
    ['vmdk', [0, 'COWD']],
    ['vmdk', [0, '# Disk DescriptorFile\nversion=1\n']],
    ['vdi', [0x40, '\x7f\x10\xda\xbe']],
    ['vhdx', [0, 'vhdxfile']],
    ['vpc', [0, 'conectix']],
    ['qed', [0, 'QED\0']],
    ['parallels', [0, 'WithoutFreeSpace']],
    ['parallels', [0, 'WithouFreSpacExt']],
    ['iso', [32_769, 'CD001']],
    ['raw', BOOT_SIGNATURE],
    ['raw', [1080, '\x53\xef']],
    ['raw', [0, 'XFSB']],
    ['raw', [65_600, '_BHRfS_M']],
  ] as const)('%s by %j', (format, part) => {
    expect(detectImageFormat(beginning(part), NOTHING)).toBe(format);
  });

  test('a format of its own comes before a boot signature', () => {
    expect(detectImageFormat(beginning([0, 'KDMV'], BOOT_SIGNATURE), NOTHING)).toBe('vmdk');
    expect(detectImageFormat(beginning([32_769, 'CD001'], BOOT_SIGNATURE), NOTHING)).toBe('iso');
  });

  test('what only the end of the file tells comes before a boot signature', () => {
    expect(detectImageFormat(beginning(BOOT_SIGNATURE), Buffer.from('conectix'.padEnd(512)))).toBe('vpc');
    expect(detectImageFormat(beginning(BOOT_SIGNATURE), Buffer.from('koly'.padEnd(512)))).toBe('dmg');
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['zeros', beginning()],
    ['text', Buffer.from('#!/bin/sh\necho no image\n')],
    ['a magic number at another place', beginning([1, 'KDMV'], [511, '\x55\xaa'])],
    ['a magic number cut off', Buffer.from('vhdxfil')],
  ])('%s is no image', (_, bytes) => {
    expect(detectImageFormat(bytes, bytes.subarray(-512))).toBeUndefined();
  });
});
