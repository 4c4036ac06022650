import { expect, test } from 'vitest';
import type { Box } from '../../../src/boxes/box.ts';
import {
  asMade,
  changedSettings,
  fixedSettings,
  type PendingFacts,
  pendingSettings,
  restartSettings,
} from '../../../src/machine/settings.ts';
import type { MachineSpec } from '../../../src/machinefile/spec.ts';
import { machinePlan, type PlanOverrides } from '../../support/machine-spec.ts';

const GIB = 1024 ** 3;

test('settings that changed since the start are named as in the Machinefile', () => {
  const before = restartSettings(machinePlan());
  expect(changedSettings(before, restartSettings(machinePlan()))).toEqual([]);
  const disks = [{ name: 'a', sizeBytes: GIB, format: 'raw', bus: 'virtio' }] as const;
  const volumes = [{ name: 'a', label: 'vm-a', guestPath: '/a', path: '/p/a', sizeBytes: GIB }];
  const after = restartSettings(machinePlan({ volumes, spec: { cpus: 2, disks, qemuArgs: ['-snapshot'] } }));
  expect(changedSettings(before, after)).toEqual(['cpus', 'disks', 'volumes', 'qemu.args']);
  const larger = volumes.map((volume) => ({ ...volume, sizeBytes: 2 * GIB }));
  const grown = restartSettings(machinePlan({ volumes: larger, spec: { cpus: 2, disks, qemuArgs: ['-snapshot'] } }));
  expect(changedSettings(after, grown)).toEqual(['volumes']);
});

test('a setting that an older vm did not record has not changed', () => {
  expect(changedSettings({}, restartSettings(machinePlan()))).toEqual([]);
});

/** A machine that was made and started, and has not been edited since. */
function madeOf(overrides: PlanOverrides = {}) {
  const plan = machinePlan(overrides);
  const box = plan.box && { key: plan.box.key, name: plan.box.name, version: plan.box.version };
  const started = { at: '', haltTimeoutMs: 0, settings: restartSettings(plan) };
  return { plan, record: { box, started, madeWith: fixedSettings(plan), hasBooted: true } };
}

/** What an edit needs, by setting. */
function needs(edit: Partial<MachineSpec>, facts: Partial<PendingFacts> = {}, box: Partial<Box> | null = {}) {
  const { plan, record } = madeOf({ box });
  const now = { ...plan, wantedBoxKey: plan.box?.key, currentDiskBytes: GIB, ...facts };
  const pending = pendingSettings(record, { ...now, spec: { ...plan.spec, ...edit } });
  return Object.fromEntries(pending.map((setting) => [setting.setting, setting.needs]));
}

const ssh = machinePlan().spec.ssh;
const disk = { name: 'a', sizeBytes: GIB, format: 'raw', bus: 'virtio' } as const;

test('a machine that was not edited waits for nothing', () => {
  expect(needs({})).toEqual({});
});

test.each<[setting: string, need: string, edit: Partial<MachineSpec>]>([
  ['cpus', 'reload', { cpus: 2 }],
  ['memory', 'reload', { memoryBytes: GIB }],
  ['disk', 'reload', { diskBytes: 2 * GIB }],
  ['disk', 'recreate', { diskBytes: GIB / 2 }],
  ['disks', 'reload', { disks: [disk] }],
  ['firmware', 'recreate', { firmware: 'uefi' }],
  ['arch', 'recreate', { arch: 'aarch64' }],
  ['cpu', 'reload', { cpu: 'max' }],
  ['machine', 'reload', { machineType: 'pc' }],
  ['hostname', 'reload', { hostname: 'other' }],
  ['display', 'reload', { display: 'vnc' }],
  ['cdrom', 'reload', { cdromPath: '/x.iso' }],
  ['boot', 'reload', { boot: ['cdrom', 'disk'] }],
  ['ssh.user', 'reload', { ssh: { ...ssh, user: 'me' } }],
  ['ssh.port', 'reload', { ssh: { ...ssh, port: 2222 } }],
  ['ssh.private_key', 'reload', { ssh: { ...ssh, privateKeyPath: '/key' } }],
  ['cloud_init', 'recreate', { cloudInit: { userData: '#cloud-config', networkConfig: undefined } }],
  ['qemu.args', 'reload', { qemuArgs: ['-snapshot'] }],
])('%s: %s', (setting, need, edit) => {
  expect(needs(edit)).toEqual({ [setting]: need });
});

test('accelerator, networks and volumes are taken up by a start', () => {
  const nic = {
    network: 'lab',
    networkId: '1',
    macAddress: '52:54:00:00:00:01',
    subnet: '10.0.0.0/24',
    address: '10.0.0.2',
    subnet6: undefined,
    address6: undefined,
    mtu: undefined,
  };
  const volumes = [{ name: 'a', label: 'vm-a', guestPath: '/a', path: '/p/a', sizeBytes: GIB }];
  expect(needs({}, { accel: 'kvm', nics: [nic], volumes })).toEqual({
    volumes: 'reload',
    accel: 'reload',
    networks: 'reload',
  });
});

test('another box, and a box where there was none, make another machine', () => {
  expect(needs({}, { wantedBoxKey: 'ef'.repeat(32) })).toEqual({ box: 'recreate' });
  expect(needs({}, { wantedBoxKey: 'ef'.repeat(32) }, null)).toEqual({ box: 'recreate' });
  expect(needs({}, { wantedBoxKey: undefined })).toEqual({ box: 'recreate' });
  expect(needs({}, { wantedBoxKey: 'unknown' })).toEqual({});
});

test.each([
  ['cloud-init', { 'ssh.user': 'recreate', 'ssh.private_key': 'recreate', hostname: 'reload' }],
  ['vagrant', { 'ssh.user': 'recreate', 'ssh.private_key': 'recreate', hostname: 'recreate' }],
] as const)('what a guest takes but once, with %s', (seed, expected) => {
  const edit = { hostname: 'other', ssh: { ...ssh, user: 'me', privateKeyPath: '/key' } };
  expect(needs(edit, {}, { seed })).toEqual(expected);
});

test('what a guest takes at its first boot can be edited until then', () => {
  const { plan, record } = madeOf({ box: { seed: 'cloud-init' } });
  const spec = { ...plan.spec, firmware: 'uefi', ssh: { ...ssh, user: 'me' } } as const;
  const facts = { ...plan, spec, wantedBoxKey: plan.box?.key, currentDiskBytes: GIB };
  expect(pendingSettings({ ...record, hasBooted: false }, facts)).toMatchObject([
    { setting: 'firmware', needs: 'recreate' },
    { setting: 'ssh.user', needs: 'reload' },
  ]);
});

test('without a size the disk stays as it is', () => {
  expect(needs({}, { currentDiskBytes: 5 * GIB })).toEqual({});
});

test('a disk that would shrink, or change its format, keeps a machine from being started', () => {
  const { plan, record } = madeOf({ spec: { disks: [disk] } });
  const pendingWith = (spec: Partial<MachineSpec>) =>
    pendingSettings(record, {
      ...plan,
      spec: { ...plan.spec, ...spec },
      wantedBoxKey: plan.box?.key,
      currentDiskBytes: GIB,
    });
  for (const changed of [{ format: 'qcow2' }, { sizeBytes: GIB / 2 }] as const) {
    expect(pendingWith({ disks: [{ ...disk, ...changed }] })).toEqual([
      { setting: 'disks', needs: 'recreate', blocksStart: true },
    ]);
  }
  expect(pendingWith({ disks: [{ ...disk, sizeBytes: 2 * GIB }] })).toMatchObject([{ needs: 'reload' }]);
  expect(pendingWith({ disks: [] })).toMatchObject([{ needs: 'reload', blocksStart: false }]);
  expect(pendingWith({ diskBytes: GIB / 2 })).toMatchObject([{ setting: 'disk', blocksStart: true }]);
});

test('of what an older vm did not record nothing is said', () => {
  const { plan, record } = madeOf();
  const spec = { ...plan.spec, cpus: 8, firmware: 'uefi' } as const;
  const facts = { ...plan, spec, wantedBoxKey: plan.box?.key, currentDiskBytes: GIB };
  expect(pendingSettings({ box: record.box, started: undefined }, facts)).toEqual([]);
});

test('cloud_init is recorded as a digest: it may hold secrets', () => {
  const cloudInit = { userData: 'secret', networkConfig: undefined };
  expect(JSON.stringify(fixedSettings(machinePlan({ spec: { cloudInit } })))).not.toContain('secret');
});

test('a machine is started with the firmware that it was made with', () => {
  expect(asMade({ firmware: 'uefi' }, { madeWith: { firmware: 'bios' } })).toEqual({ firmware: 'bios' });
  expect(asMade({ firmware: 'uefi' }, {})).toEqual({ firmware: 'uefi' });
});
