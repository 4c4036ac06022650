import { expect, test } from 'vitest';
import { PortTakenError } from '../../../../src/providers/provider.ts';
import { explainStartFailure, qemuEnvironment } from '../../../../src/providers/qemu/start.ts';
import { machinePlan } from '../../../support/machine-spec.ts';

const plan = machinePlan();

test('a port taken meanwhile is told by its number', () => {
  const output =
    "qemu-system-x86_64: -netdev user,id=user,hostfwd=tcp:127.0.0.1:8080-:80: Could not set up host forwarding rule 'tcp:127.0.0.1:8080-:80'";
  const error = explainStartFailure(output, plan);
  expect(error).toBeInstanceOf(PortTakenError);
  expect(error).toMatchObject({ address: { hostIp: '127.0.0.1', port: 8080, protocol: 'tcp' } });
});

test('a disk that somebody has open', () => {
  const error = explainStartFailure('Failed to get "write" lock\nIs another process using the image?', plan);
  expect(error.message).toContain('another process has its disk open');
});

test('of several disks the one that somebody has open', () => {
  const output =
    'qemu-system-x86_64: -blockdev {}: Failed to get "write" lock\nIs another process using the image [/p/.vm/machines/web/disk-1.qcow2]?\n';
  expect(explainStartFailure(output, plan)).toMatchObject({
    message: 'web: another process has its disk open: /p/.vm/machines/web/disk-1.qcow2',
    hint: '`fuser -v /p/.vm/machines/web/disk-1.qcow2` shows which',
  });
});

test('a volume that somebody has open', () => {
  const path = '/p/.vm/volumes/pgdata/volume.raw';
  const volume = { name: 'pgdata', label: 'vm-pgdata', guestPath: '/srv', path, sizeBytes: undefined };
  const output = `Failed to get "write" lock\nIs another process using the image [${path}]?\n`;
  expect(explainStartFailure(output, machinePlan({ volumes: [volume] }))).toMatchObject({
    message: `web: another process has its volume pgdata open: ${path}`,
    hint: `\`fuser -v ${path}\` shows which`,
  });
});

test("anything else is told in QEMU's own words", () => {
  expect(explainStartFailure('qemu: no such CPU\n', plan).message).toBe(
    'web: QEMU did not start:\n  qemu: no such CPU',
  );
  expect(explainStartFailure('', plan).message).toContain('QEMU said nothing');
});

test('a window without a desktop, and without the package that opens windows', () => {
  const windowPlan = machinePlan({ spec: { display: 'gtk' } });
  expect(explainStartFailure('gtk initialization failed\n', windowPlan)).toMatchObject({
    message: 'web: QEMU did not start:\n  gtk initialization failed',
    hint: 'display: gtk opens a window: start it in a desktop session, or use display: vnc',
  });
  const noModule = "qemu-system-x86_64: Display 'gtk' is not available.\n";
  expect(explainStartFailure(noModule, windowPlan)).toMatchObject({ hint: 'apt install qemu-system-gui' });
});

test('a toolkit without a session bus would start one, which the sandbox forbids', () => {
  const withoutBus = { DBUS_SESSION_BUS_ADDRESS: 'disabled:' };
  expect(qemuEnvironment('gtk', {})).toEqual(withoutBus);
  expect(qemuEnvironment('sdl', { DBUS_SESSION_BUS_ADDRESS: '' })).toEqual(withoutBus);
  expect(qemuEnvironment('sdl', { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1000/bus' })).toEqual({});
  expect(qemuEnvironment('vnc', {})).toEqual({});
});
