import { describe, expect, test } from 'vitest';
import { inMachine, inProject } from '../../load-files.ts';

describe('boxes', () => {
  test.each([
    ['cpus: 1', '2:3: machine “m” needs a “box” (or a “cdrom” to install a system from)'],
    [
      'box: tiny\ncdrom: i.iso\ndisk: 1GiB',
      '4:5: “cdrom” is for an empty disk, not together with “box” (write “box: !reset” to drop a default)',
    ],
    ['cdrom: i.iso', '3:5: “cdrom” needs “disk”, the size of the empty disk (such as 20GiB)'],
    ['box: tiny\nboot: [disk, cdrom]', '4:18: there is no “cdrom” to boot from'],
    ['box: Debian 12', '3:10: “Debian 12” is not a box (allowed: name, name@version, ./path, https://…, oci://…)'],
    ['box: tiny@', '3:10: “tiny@” is not a box (allowed: name, name@version, ./path, https://…, oci://…)'],
    ['box: b.qcow2', '3:10: “b.qcow2” looks like a file (write “./b.qcow2” for a path)'],
    ['box: {}', '3:10: a box needs one of “name”, “path” and “url”'],
    [
      'box: { name: tiny, path: b.qcow2 }',
      '3:10: a box needs one of “name”, “path” and “url”, not “name” and “path” together',
    ],
    [
      `box: { name: tiny, checksum: "sha256:${'0'.repeat(64)}" }`,
      '3:10: “checksum” goes with the “path” or “url” of a box',
    ],
    [
      'box: { path: b.qcow2, version: newest }',
      '3:10: “newest” is not a version (allowed: 1.2.0, or constraints such as ~> 1.2, < 2)',
    ],
    ['box: { name: Tiny }', '3:18: “Tiny” is not a box name (such as debian/12)'],
  ])('%j', async (settings, problem) => {
    expect(await inMachine(settings)).toEqual([`Machinefile:${problem}`]);
  });

  test('a box of the wrong type is not also missing', async () => {
    expect(await inMachine('box: 5')).toEqual([expect.stringContaining('3:10: “box” must be a box')]);
  });

  test('nor is one that only the defaults have wrong', async () => {
    expect(await inProject('defaults: { box: 5 }', 'machines: { a: , b: }')).toEqual([
      expect.stringContaining('1:18: “box” must be a box'),
    ]);
  });
});
