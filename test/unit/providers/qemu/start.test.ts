import { expect, test } from 'vitest';
import { PortTakenError } from '../../../../src/providers/provider.ts';
import { explainStartFailure } from '../../../../src/providers/qemu/start.ts';
import { machinePlan } from '../../../support/machine-spec.ts';

const plan = machinePlan();

test('a port taken meanwhile is told by its number', () => {
  const output =
    "qemu-system-x86_64: -netdev user,id=user,hostfwd=tcp:127.0.0.1:8080-:80: Could not set up host forwarding rule 'tcp:127.0.0.1:8080-:80'";
  const error = explainStartFailure(output, plan);
  expect(error).toBeInstanceOf(PortTakenError);
  expect((error as PortTakenError).port).toBe(8080);
});

test('a disk that somebody has open', () => {
  const error = explainStartFailure('Failed to get "write" lock\nIs another process using the image?', plan);
  expect(error.message).toContain('another process has its disk open');
});

test("anything else is told in QEMU's own words", () => {
  expect(explainStartFailure('qemu: no such CPU\n', plan).message).toBe(
    'web: QEMU did not start:\n  qemu: no such CPU',
  );
  expect(explainStartFailure('', plan).message).toContain('QEMU said nothing');
});
