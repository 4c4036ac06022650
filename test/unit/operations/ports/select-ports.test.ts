import { expect, test } from 'vitest';
import type { PortForward } from '../../../../src/machine/record.ts';
import { isMistake } from '../../../../src/machinefile/forms/parsed.ts';
import { parsePortParts, portSelectors } from '../../../../src/machinefile/forms/ports.ts';
import { selectAdded } from '../../../../src/operations/ports/select-ports.ts';

const forward: PortForward = { hostIp: '127.0.0.1', host: 25_022, guest: 22, protocol: 'tcp' };
const given: PortForward = { ...forward, host: 8080, guest: 80, addedAs: 'given' };
const forwards: readonly PortForward[] = [
  forward,
  { ...forward, host: 9090, guest: 90 },
  given,
  { ...given, protocol: 'udp' },
  { ...given, hostIp: '0.0.0.0', host: 8081 },
  { ...given, host: 25_091, guest: 91, addedAs: 'chosen' },
];

function select(...texts: string[]): number[] {
  const selectors = texts.flatMap((text) => {
    const parsed = parsePortParts(text);
    if (isMistake(parsed)) throw new Error(parsed.mistake);
    return portSelectors(parsed.value);
  });
  return selectAdded({ machine: 'web', forwards }, selectors).map((selected) => forwards.indexOf(selected));
}

test.each([
  { by: 'its host port, over any protocol', texts: ['8080'], selected: [2, 3] },
  { by: 'host port and protocol', texts: ['8080/udp'], selected: [3] },
  { by: 'host and guest port', texts: ['8081:80'], selected: [4] },
  { by: 'all that can be said', texts: ['0.0.0.0:8081:80/tcp'], selected: [4] },
  { by: 'the guest port, where vm chose the host port', texts: ['91'], selected: [5] },
  { by: 'the host port that vm chose', texts: ['25091'], selected: [5] },
  { by: 'a range', texts: ['8080-8081/tcp'], selected: [2, 4] },
  { by: 'two ways: once', texts: ['8081', '8081:80'], selected: [4] },
])('by $by', ({ texts, selected }) => {
  expect(select(...texts)).toEqual(selected);
});

test.each([
  { texts: ['80'], says: 'web has no port 80' },
  { texts: ['8080:81'], says: 'web has no port 8080:81' },
  { texts: ['127.0.0.1:8081:80/tcp'], says: 'web has no port 127.0.0.1:8081:80/tcp' },
  { texts: ['8080', '1'], says: 'web has no port 1' },
  { texts: ['9090'], says: "port 127.0.0.1:9090 → 90 of web is the Machinefile's" },
  { texts: ['25022'], says: 'port 127.0.0.1:25022 → 22 of web is how vm reaches it' },
])('$texts is refused', ({ texts, says }) => {
  expect(() => select(...texts)).toThrow(says);
});
