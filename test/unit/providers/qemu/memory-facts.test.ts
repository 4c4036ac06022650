import { describe, expect, test } from 'vitest';
import type { MemoryFacts } from '../../../../src/machine/memory.ts';
import {
  cpuFingerprint,
  obstacleHere,
  obstacleIn,
  type PlaceFacts,
  readHostFacts,
} from '../../../../src/providers/qemu/memory-facts.ts';
import { writableFiles } from '../../../../src/providers/qemu/memory-save.ts';

const disk = { path: '/p/.vm/machines/m/disk.qcow2', bytes: 200_000, modifiedNs: '1795358879000000001' };
const hypervisor = { version: '7.2.22', machineType: 'pc-q35-7.2', argsFingerprint: 'abc' };
const saved: MemoryFacts = {
  format: 1,
  savedAt: '2026-01-31T12:00:00.000Z',
  sha256: '00',
  bytes: 1000,
  hypervisor,
  host: { cpu: 'cpu-1' },
  command: { file: 'qemu-system-x86_64', args: [] },
  disks: [disk],
};
const here: PlaceFacts = { bytes: 1000, host: { cpu: 'cpu-1' }, disks: [disk] };

describe('what forbids a restore before anything is started', () => {
  test('nothing', () => {
    expect(obstacleHere(saved, here)).toBeUndefined();
  });

  test.each<[reason: string, change: Partial<PlaceFacts>]>([
    ['the file that it was saved in is gone', { bytes: undefined }],
    ['the file that it was saved in has 999 bytes instead of 1000', { bytes: 999 }],
    ['the processor of this host is another one than when it was saved', { host: { cpu: 'cpu-2' } }],
    [`the disk ${disk.path} is not there any more`, { disks: [undefined] }],
    [`the disk ${disk.path} has been written to since then`, { disks: [{ ...disk, bytes: 200_001 }] }],
    [
      `the disk ${disk.path} has been written to since then`,
      { disks: [{ ...disk, modifiedNs: '1795358879000000002' }] },
    ],
  ])('%s', (reason, change) => {
    expect(obstacleHere(saved, { ...here, ...change })).toBe(reason);
  });
});

describe('what forbids it once the hypervisor runs', () => {
  test('nothing', () => {
    expect(obstacleIn(hypervisor, hypervisor)).toBeUndefined();
  });

  test.each([
    [{ version: '10.0.0' }, 'it was saved by QEMU 7.2.22, and 10.0.0 is installed now'],
    [{ machineType: 'pc-q35-10.0' }, 'it was saved on a machine of the type pc-q35-7.2, and now that is pc-q35-10.0'],
    [{ argsFingerprint: 'abd' }, 'the machine has other devices now'],
  ])('%j', (change, reason) => {
    expect(obstacleIn(hypervisor, { ...hypervisor, ...change })).toBe(reason);
  });
});

const CPUINFO = `processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Some Xeon
cpu MHz\t\t: 2000.000
flags\t\t: fpu vme sse

processor\t: 1
vendor_id\t: GenuineIntel
`;

test('a processor is another one by what a guest sees of it, not by how fast it is now', () => {
  const fingerprint = cpuFingerprint(CPUINFO);
  expect(cpuFingerprint(CPUINFO.replace('2000.000', '2600.123').replace('processor\t: 1', 'processor\t: 7'))).toBe(
    fingerprint,
  );
  expect(cpuFingerprint(CPUINFO.replace('sse', 'sse avx'))).not.toBe(fingerprint);
  expect(cpuFingerprint(CPUINFO.replace('Some', 'Other'))).not.toBe(fingerprint);
});

test('an emulated guest sees nothing of the processor of its host', () => {
  expect(readHostFacts(['-accel', 'tcg,thread=multi'])).toEqual({});
  expect(readHostFacts(['-accel', 'kvm'])).toEqual({ cpu: expect.stringMatching(/^[0-9a-f]{16}$/) });
});

test('the files that a guest can write to', () => {
  const nodes = [
    { 'node-name': 'root', drv: 'qcow2', ro: false, file: '/m/disk.qcow2' },
    { 'node-name': '#block1', drv: 'file', ro: false, file: '/m/disk.qcow2' },
    { 'node-name': '#block2', drv: 'file', ro: true, file: '/boxes/tiny/disk.qcow2' },
    { 'node-name': '#block3', drv: 'file', ro: false, file: '/m/a-volume.raw' },
    { 'node-name': 'seed', drv: 'vvfat', ro: true, file: 'vvfat' },
  ];
  expect(writableFiles(nodes)).toEqual(['/m/a-volume.raw', '/m/disk.qcow2']);
  expect(writableFiles(undefined)).toEqual([]);
});
