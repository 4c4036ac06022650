import { expect, test } from 'vitest';
import type { PortForward } from '../../../../src/machine/record.ts';
import type { PortSpec } from '../../../../src/machinefile/spec.ts';
import { movedPorts } from '../../../../src/operations/ports/yield-ports.ts';
import { machineSpec } from '../../../support/machine-spec.ts';

const port: PortSpec = { hostIp: '127.0.0.1', host: 8080, guest: 80, protocol: 'tcp', autoCorrect: false };
const ssh: PortForward = { hostIp: '127.0.0.1', host: 25_022, guest: 22, protocol: 'tcp' };
const forward: PortForward = { ...ssh, host: 8080, guest: 80 };

function moved(web: readonly PortSpec[], db: readonly PortSpec[], forwards: readonly PortForward[] = [ssh, forward]) {
  const specs = [machineSpec({ name: 'web', ports: web }), machineSpec({ name: 'db', ports: db })];
  return movedPorts(machineSpec({ name: 'web', ports: web }), forwards, specs);
}

test('a port that another machine wants now, also where vm had chosen it', () => {
  expect(moved([], [port])).toEqual([forward]);
  expect(moved([{ ...port, host: undefined }], [port])).toEqual([forward]);
});

test.each([
  { what: 'that nobody else wants', ports: moved([], []) },
  { what: 'that it still wants, for another guest port', ports: moved([{ ...port, guest: 81 }], [port]) },
  { what: 'that the other takes any in place of', ports: moved([], [{ ...port, autoCorrect: true }]) },
  { what: 'that was added by hand', ports: moved([], [port], [ssh, { ...forward, addedAs: 'given' }]) },
  { what: 'of SSH', ports: moved([], [{ ...port, host: ssh.host }], [ssh]) },
])('not one $what', ({ ports }) => {
  expect(ports).toEqual([]);
});
