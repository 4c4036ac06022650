import type { Box } from '../../boxes/box.ts';
import { sha256 } from '../../host/files.ts';
import { addressesOf, type Nic } from '../../machine/nics.ts';
import type { Accelerator, MachineSpec } from '../../machinefile/spec.ts';

/** Raised when the same machine would not look the same any more: what was kept before does not count then. */
const GENERATION = 1;

export interface MachineFacts {
  readonly spec: MachineSpec;
  readonly box: Box;
  readonly accel: Accelerator;
  readonly diskBytes: number;
  readonly nics: readonly Nic[];
  /** Of the volumes that exist: which file system is mounted where. */
  readonly volumes: readonly { readonly guestPath: string; readonly uuid: string }[];
}

/** Of the disks after the first boot. Pure. */
export function baseKey({ spec, box, accel, diskBytes }: MachineFacts): string {
  const { arch, firmware, cpu, machineType, disks, qemuArgs } = spec;
  const user = spec.ssh.user ?? box.user;
  return keyOf([
    'base',
    GENERATION,
    box.key,
    arch,
    firmware,
    accel,
    cpu,
    machineType,
    diskBytes,
    disks,
    user,
    qemuArgs,
  ]);
}

export interface StepFacts {
  /** What the step began from. */
  readonly parent: string;
  readonly fingerprint: string;
  /** Of the files that it says that it reads, in its order. */
  readonly readDigests: readonly string[];
}

/**
 * Of the disks after a step. What the step can see of its machine is part of it, but for what is the machine's alone
 * (address and name of a replica), and for processors and memory: programs look at those when they start. Pure.
 */
export function stepKey({ parent, fingerprint, readDigests }: StepFacts, machine: MachineFacts): string {
  return keyOf(['step', GENERATION, parent, fingerprint, readDigests, surroundings(machine)]);
}

function surroundings({ spec, nics, volumes }: MachineFacts): unknown {
  const facts = neighbourhood({ spec, nics, volumes });
  return spec.isIsolated ? [...facts, 'isolated'] : facts;
}

function neighbourhood({ spec, nics, volumes }: Pick<MachineFacts, 'spec' | 'nics' | 'volumes'>): readonly unknown[] {
  const environment = Object.entries(spec.environment).sort(([a], [b]) => (a < b ? -1 : 1));
  const folders = spec.sync.map(({ guestPath }) => guestPath);
  if (spec.replica !== undefined) return [environment, folders, volumes, spec.replica.of, nics.map(networkOf)];
  return [environment, folders, volumes, spec.hostname, nics.map((nic) => [networkOf(nic), addressesOf(nic)])];
}

function networkOf({ network }: Nic): string {
  return network;
}

function keyOf(facts: readonly unknown[]): string {
  // What is absent must not look like null, nor shift what follows.
  return sha256(JSON.stringify(facts, (_name, value) => (value === undefined ? ['absent'] : value)));
}
