import { expect, test } from 'vitest';
import { macAddressOf } from '../../../src/machine/plan.ts';
import { machinePlan } from '../../support/machine-spec.ts';

const GIB = 1024 ** 3;

test('the root disk is as large as asked for, else as the box', () => {
  expect(machinePlan().diskBytes).toBe(GIB);
  expect(machinePlan({ spec: { diskBytes: 5 * GIB } }).diskBytes).toBe(5 * GIB);
});

test('a disk ends with a whole sector', () => {
  expect(machinePlan({ spec: { diskBytes: 2 * GIB + 1 } }).diskBytes).toBe(2 * GIB + 512);
});

test('a disk smaller than its box is refused', () => {
  expect(() => machinePlan({ spec: { diskBytes: GIB / 2 } })).toThrow('smaller than the box tiny');
});

test('without a box the disk is empty', () => {
  expect(machinePlan({ box: null }).diskBytes).toBe(20 * GIB);
});

test('the MAC address follows from the id', () => {
  expect(macAddressOf('ab12cd34-2222-4333-8444-555555555555')).toBe('52:54:00:ab:12:cd');
});

test('a machine is isolated as its Machinefile says', () => {
  expect(machinePlan().isIsolated).toBe(false);
  expect(machinePlan({ spec: { isIsolated: true } }).isIsolated).toBe(true);
});
