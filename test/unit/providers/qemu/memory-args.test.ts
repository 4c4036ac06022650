import { expect, test } from 'vitest';
import { qemuCommand } from '../../../../src/providers/qemu/args.ts';
import {
  argsFingerprint,
  cardAddresses,
  incomingArgs,
  isRamShared,
  resumedArgs,
} from '../../../../src/providers/qemu/memory-args.ts';
import { changedCards } from '../../../../src/providers/qemu/template.ts';
import { machinePlan, type PlanOverrides } from '../../../support/machine-spec.ts';

const NIC = {
  network: 'lab',
  networkId: 'aa',
  macAddress: '52:54:00:00:00:01',
  subnet: '10.7.0.0/24',
  address: '10.7.0.2',
  subnet6: undefined,
  address6: undefined,
  mtu: undefined,
  segment: { kind: 'vde', switchDir: '/run/vm/net-aa' },
} as const;

const plan = machinePlan({ nics: [NIC] });
const { args } = qemuCommand(plan, undefined);
const asBefore = { forwards: plan.forwards, nics: [NIC], runtimeDir: plan.runtime.runtimeDir };

test('nothing has changed: the same arguments, but the log of the console goes on', () => {
  const log = args.findIndex((arg) => arg.includes(',logfile='));
  expect(resumedArgs(args, asBefore)).toEqual(args.with(log, `${args[log]},logappend=on`));
});

test('restored again: no argument comes twice', () => {
  const once = resumedArgs(args, asBefore);
  expect(resumedArgs(incomingArgs(once), asBefore)).toEqual(once);
  expect(incomingArgs(once).slice(-3)).toEqual(['-S', '-incoming', 'defer']);
});

test('sockets, ports and segments are those of today', () => {
  const forward = { hostIp: '127.0.0.1', host: 9999, guest: 22, protocol: 'tcp' } as const;
  const segment = { kind: 'multicast', group: '239.1.2.3', port: 10_001 } as const;
  const resumed = resumedArgs(args, {
    forwards: [forward],
    nics: [{ ...NIC, segment }],
    isCopy: true,
    runtimeDir: '/tmp/vm-1/1111',
  });
  expect(resumed.join(' ')).not.toContain('/run/vm/');
  expect(resumed).toContain('unix:/tmp/vm-1/1111/qmp.sock,server=on,wait=off');
  expect(resumed).toContain('user,id=user,restrict=on,hostfwd=tcp:127.0.0.1:9999-:22');
  expect(resumed).toContain('socket,id=net-aa,mcast=239.1.2.3:10001,localaddr=127.0.0.1');
  expect(argsFingerprint(resumed)).toBe(argsFingerprint(args));
});

test('an isolated guest stays so', () => {
  const isolated = qemuCommand(machinePlan({ spec: { isIsolated: true } }), undefined).args;
  expect(resumedArgs(isolated, asBefore).join(' ')).toContain('user,id=user,restrict=on');
  expect(resumedArgs(args, asBefore).join(' ')).not.toContain('restrict');
});

test('a netdev of the user stays', () => {
  const own = ['-netdev', 'tap,id=mine', '-snapshot'];
  expect(resumedArgs([...args, ...own], asBefore).slice(-3)).toEqual(own);
});

const UEFI = { codePath: '/fw/code.fd', variablesPath: '/fw/vars.fd' };

function fingerprint(overrides: PlanOverrides): string {
  const other = machinePlan({ nics: [NIC], ...overrides });
  return argsFingerprint(qemuCommand(other, other.spec.firmware === 'uefi' ? UEFI : undefined).args);
}

test.each<[what: string, overrides: PlanOverrides]>([
  ['memory', { spec: { memoryBytes: 2 ** 30 } }],
  ['cpus', { spec: { cpus: 4 } }],
  ['a processor', { spec: { cpu: 'Nehalem' } }],
  ['a machine type', { spec: { machineType: 'pc' } }],
  ['firmware', { spec: { firmware: 'uefi' } }],
  ['a card', { nics: [] }],
  ['a screen', { spec: { display: 'vnc' } }],
  ['a cdrom', { spec: { cdromPath: '/a.iso' } }],
  ['further arguments', { spec: { qemuArgs: ['-device', 'virtio-balloon-pci'] } }],
])('the guest sees another machine with %s', (_what, overrides) => {
  expect(fingerprint(overrides)).not.toBe(argsFingerprint(args));
});

test('the guest does not see how the machine is called, nor where its files are', () => {
  const moved = args.map((arg) => arg.replaceAll('/p/.vm', '/elsewhere/.vm').replace('guest=web', 'guest=other'));
  expect(moved).not.toEqual(args);
  expect(argsFingerprint(moved)).toBe(argsFingerprint(args));
});

test('a machine that begins with a template’s memory looks to its guest as that one did, but for its addresses', () => {
  const { segment: _, ...nic } = NIC;
  const own = { ...nic, macAddress: '52:54:00:00:00:99' };
  const template = { ...machinePlan(), macAddress: '52:54:00:00:00:98' };
  const made = qemuCommand({ ...template, ram: { use: 'template', path: '/t/ram', nics: [own] } }, undefined).args;
  const copy = qemuCommand({ ...plan, ram: { use: 'copy', path: '/layers/a, b/ram' } }, undefined).args;
  expect(argsFingerprint(copy)).toBe(argsFingerprint(made));
  expect(argsFingerprint(copy)).not.toBe(argsFingerprint(args));
  expect([made, copy, args].map(isRamShared)).toEqual([true, false, false]);
  expect(cardAddresses(made)).toEqual(['52:54:00:00:00:98', '52:54:00:00:00:99']);
  expect(copy).toContain('memory-backend-file,id=ram,size=512M,share=off,mem-path=/layers/a,, b/ram');
  expect(changedCards(made, copy)).toEqual([
    { from: '52:54:00:00:00:98', to: plan.macAddress },
    { from: '52:54:00:00:00:99', to: NIC.macAddress },
  ]);
});
