import { describe, expect, test } from 'vitest';
import { conversionCommand, parsePercent } from '../../../../src/boxes/formats/convert.ts';

/** The description of the image that qemu-img is given. */
function openedAs(format: 'vdi' | 'vpc', imagePath: string): unknown {
  const { args } = conversionCommand({ imagePath, format, destPath: '/store/disk.qcow2' });
  expect(args.slice(0, 4)).toEqual(['convert', '-p', '-O', 'qcow2']);
  expect(args[5]).toBe('/store/disk.qcow2');
  return JSON.parse(args[4]?.replace(/^json:/, '') ?? '');
}

describe('conversionCommand', () => {
  test('the format is given, nothing behind the image is opened, and its name may be any', () => {
    expect(openedAs('vdi', '/a "b",c:d%20.vdi')).toEqual({
      driver: 'vdi',
      backing: null,
      file: { driver: 'file', filename: '/a "b",c:d%20.vdi' },
    });
  });

  test('a VHD has the size that its footer says', () => {
    expect(openedAs('vpc', '/disk.vhd')).toEqual({
      driver: 'vpc',
      backing: null,
      force_size_calc: 'current_size',
      file: { driver: 'file', filename: '/disk.vhd' },
    });
  });
});

describe('parsePercent', () => {
  test.each([
    ['    (0.00/100%)', 0],
    ['    (42.97/100%)', 42],
    ['    (99.00/100%)\r    (100.00/100%)', 100],
    ['', undefined],
    ['qemu-img: error while reading at byte 4980736: Invalid argument', undefined],
  ])('%j', (line, percent) => {
    expect(parsePercent(line)).toBe(percent);
  });
});
