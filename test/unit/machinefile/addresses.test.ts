import { describe, expect, test } from 'vitest';
import {
  addressAt,
  formatAddress,
  formatSubnet,
  isForHost,
  numberIn,
  overlaps,
  parseAddress,
  parseSubnet,
  type Subnet,
  sizeOf,
} from '../../../src/machinefile/addresses.ts';

function subnet(text: string): Subnet {
  const parsed = parseSubnet(text);
  if (parsed === undefined) throw new Error(`${text} is a subnet`);
  return parsed;
}

test.each([
  ['0.0.0.0', '0.0.0.0'],
  ['10.255.0.1', '10.255.0.1'],
  ['::', '::'],
  ['::1', '::1'],
  ['fd00:0:0::7', 'fd00::7'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['FD00::10.0.0.1', 'fd00::a00:1'],
  ['fe80::', 'fe80::'],
])('%s is %s', (text, formatted) => {
  const address = parseAddress(text);
  expect(address && formatAddress(address)).toBe(formatted);
});

test.each(['', '10.0.0', '10.0.0.256', '010.0.0.1', ':::', '1::2::3', 'fd00::g'])('%j is no address', (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test.each([
  ['10.1.2.3/16', '10.1.0.0/16', 2n ** 16n],
  ['10.1.2.3/32', '10.1.2.3/32', 1n],
  ['0.0.0.0/0', '0.0.0.0/0', 2n ** 32n],
  ['fd00::1/64', 'fd00::/64', 2n ** 64n],
])('%s is %s', (text, formatted, size) => {
  expect(formatSubnet(subnet(text))).toBe(formatted);
  expect(sizeOf(subnet(text))).toBe(size);
});

test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', 'fd00::/129', '/24'])('%j is no subnet', (text) => {
  expect(parseSubnet(text)).toBeUndefined();
});

describe('places in a subnet', () => {
  test.each<[string, string, bigint | undefined]>([
    ['10.0.0.0/24', '10.0.0.255', 255n],
    ['10.0.0.0/24', '10.0.1.0', undefined],
    ['10.0.1.0/24', '10.0.0.255', undefined],
    ['10.0.0.0/8', 'fd00::1', undefined],
    ['fd00::/64', 'fd00::1:0', 65_536n],
  ])('in %s, %s', (text, address, number) => {
    const parsed = parseAddress(address);
    expect(parsed && numberIn(subnet(text), parsed)).toBe(number);
    if (number !== undefined) expect(formatAddress(addressAt(subnet(text), number))).toBe(address);
  });

  test('of machines', () => {
    const hosts = (text: string) =>
      [0n, 1n, 2n, 3n].filter((number) => number < sizeOf(subnet(text)) && isForHost(subnet(text), number));
    expect(hosts('10.0.0.0/30')).toEqual([1n, 2n]);
    expect(hosts('fd00::/126')).toEqual([1n, 2n, 3n]);
  });

  test('overlapping', () => {
    expect(overlaps(subnet('10.0.0.0/8'), subnet('10.9.0.0/16'))).toBe(true);
    expect(overlaps(subnet('10.9.0.0/16'), subnet('10.0.0.0/8'))).toBe(true);
    expect(overlaps(subnet('10.9.0.0/16'), subnet('10.8.0.0/16'))).toBe(false);
    expect(overlaps(subnet('0.0.0.0/0'), subnet('fd00::/8'))).toBe(false);
  });
});
