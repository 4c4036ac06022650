import { expect, test } from 'vitest';
import { parsePortsToAdd, parsePortsToRemove } from '../../../src/cli/port-arguments.ts';
import { UsageError } from '../../../src/errors.ts';

test('the short form of the Machinefile, and its ranges', () => {
  const usual = { hostIp: '127.0.0.1', protocol: 'tcp', autoCorrect: false };
  expect(parsePortsToAdd(['80', '8000-8001:90-91', '0.0.0.0:53:5353/udp', '10.0.0.1::81'])).toEqual([
    { ...usual, host: undefined, guest: 80 },
    { ...usual, host: 8000, guest: 90 },
    { ...usual, host: 8001, guest: 91 },
    { ...usual, hostIp: '0.0.0.0', host: 53, guest: 5353, protocol: 'udp' },
    { ...usual, hostIp: '10.0.0.1', host: undefined, guest: 81 },
  ]);
});

test('what is named twice counts once', () => {
  expect(parsePortsToAdd(['8080:80', '127.0.0.1:8080:80/tcp', '80', '80'])).toHaveLength(2);
});

test('what is not said stays open, to be removed', () => {
  expect(parsePortsToRemove(['8080', '8081:80/udp'])).toEqual([
    { guest: 8080, hostIp: undefined, protocol: undefined },
    { guest: 80, host: 8081, hostIp: undefined, protocol: 'udp' },
  ]);
});

test.each([
  { texts: ['web'], says: '“web” is not a port' },
  { texts: ['8080:80/sctp'], says: '“8080:80/sctp” is not a port' },
  { texts: ['0'], says: '“0” is not a port (1 to 65535)' },
  { texts: ['127.0.0.01:80:80'], says: '“127.0.0.01” is not an IPv4 address' },
  { texts: ['8080-8081:80'], says: '2 host ports cannot lead to 1 ports of one machine' },
  { texts: ['8080:80', '0.0.0.0:8080:81'], says: 'host port 8080/tcp cannot lead to two ports' },
])('$texts is a mistake of usage', ({ texts, says }) => {
  expect(() => parsePortsToAdd(texts)).toThrow(UsageError);
  expect(() => parsePortsToAdd(texts)).toThrow(says);
});
