import type { Box } from '../../src/boxes/box.ts';
import { machineLayout } from '../../src/machine/layout.ts';
import { type MachinePlan, planMachine } from '../../src/machine/plan.ts';
import type { MachineSpec } from '../../src/machinefile/spec.ts';

/** A machine with nothing special about it. */
export function machineSpec(overrides: Partial<MachineSpec> = {}): MachineSpec {
  return {
    name: 'web',
    replica: undefined,
    provider: 'qemu',
    box: { kind: 'name', name: 'tiny', version: undefined },
    cpus: 1,
    memoryBytes: 512 * 1024 ** 2,
    diskBytes: undefined,
    disks: [],
    volumes: [],
    arch: 'x86_64',
    firmware: 'bios',
    accel: 'auto',
    cpu: undefined,
    machineType: undefined,
    hostname: 'web',
    display: 'none',
    cdromPath: undefined,
    boot: ['disk', 'cdrom'],
    ports: [],
    networks: [],
    isIsolated: false,
    sync: [],
    environment: {},
    provision: [],
    ssh: {
      user: undefined,
      port: undefined,
      privateKeyPath: undefined,
      forwardAgent: false,
      forwardX11: false,
      extraArgs: [],
    },
    cloudInit: { userData: undefined, networkConfig: undefined },
    dependsOn: [],
    healthcheck: undefined,
    autostart: true,
    primary: false,
    profiles: [],
    isWarm: false,
    hooks: {},
    bootTimeoutMs: 300_000,
    haltTimeoutMs: 60_000,
    qemuArgs: [],
    message: undefined,
    ...overrides,
  };
}

export function tinyBox(overrides: Partial<Box> = {}): Box {
  return {
    key: 'ab'.repeat(32),
    digest: 'cd'.repeat(32),
    source: 'built from the recipe tiny',
    name: 'tiny',
    version: '1',
    isNamed: true,
    arch: 'x86_64',
    seed: 'machinefile',
    user: 'root',
    diskPath: '/boxes/tiny/disk.qcow2',
    parentKey: undefined,
    entryKeyPath: undefined,
    virtualSizeBytes: 1024 ** 3,
    extraDisks: [],
    kernel: {
      kernelPath: '/boxes/tiny/vmlinuz',
      uncompressedKernelPath: '/boxes/tiny/vmlinux',
      initrdPath: '/boxes/tiny/initrd.img',
      commandLine: 'console=ttyS0',
    },
    ...overrides,
  };
}

export interface PlanOverrides {
  readonly spec?: Partial<MachineSpec>;
  /** `null`: no box. */
  readonly box?: Partial<Box> | null;
  readonly machineDir?: string;
  readonly forwards?: MachinePlan['forwards'];
  readonly madeDisks?: MachinePlan['madeDisks'];
  readonly nics?: MachinePlan['nics'];
  readonly volumes?: MachinePlan['volumes'];
}

export function machinePlan({
  spec = {},
  box = {},
  machineDir = '/p/.vm/machines/web',
  forwards,
  madeDisks = [],
  nics = [],
  volumes = [],
}: PlanOverrides = {}) {
  return planMachine({
    spec: machineSpec(spec),
    box: box === null ? undefined : tinyBox(box),
    accel: 'tcg',
    volumes,
    layout: machineLayout(machineDir),
    nics,
    record: {
      id: '11111111-2222-4333-8444-555555555555',
      disks: madeDisks,
      forwards: forwards ?? [{ hostIp: '127.0.0.1', host: 20_022, guest: 22, protocol: 'tcp' }],
      macAddress: '52:54:00:11:11:11',
      runtimeDir: '/run/vm/1111',
    },
  });
}
