import { accessSync, constants, readFileSync } from 'node:fs';
import { VmError } from '../../errors.ts';
import type { Accelerator } from '../../machinefile/spec.ts';

export interface AcceleratorVerdict {
  readonly accel: Accelerator;
  /** Why not the faster one. */
  readonly reason: string | undefined;
}

/** What decides whether KVM works here. */
export interface KvmFacts {
  readonly platform: NodeJS.Platform;
  readonly hostArch: string;
  /** Undefined: it opens; else the error code (`ENOENT`, `EACCES`). */
  readonly deviceError: string | undefined;
  /** Flags of the first processor in /proc/cpuinfo. */
  readonly cpuFlags: ReadonlySet<string>;
}

/**
 * Decides by what works, not by what is there: on a host whose processor shows neither `vmx` nor `svm`, /dev/kvm may
 * still open and run firmware, but a kernel never finishes booting on it (measured on such a host).
 */
export function chooseAccelerator(facts: KvmFacts): AcceleratorVerdict {
  if (facts.platform === 'darwin') return { accel: 'hvf', reason: undefined };
  switch (facts.deviceError) {
    case undefined:
      break;
    case 'ENOENT':
      return { accel: 'tcg', reason: 'this host has no /dev/kvm' };
    case 'EACCES':
      return { accel: 'tcg', reason: '/dev/kvm may not be opened: add your user to the group kvm and log in again' };
    default:
      return { accel: 'tcg', reason: `/dev/kvm cannot be opened (${facts.deviceError})` };
  }
  if (facts.hostArch === 'x64' && !facts.cpuFlags.has('vmx') && !facts.cpuFlags.has('svm')) {
    return {
      accel: 'tcg',
      reason: '/dev/kvm opens, but the processor offers neither vmx nor svm, so guests would hang',
    };
  }
  return { accel: 'kvm', reason: undefined };
}

/** Reads the facts of this host. */
export function readKvmFacts(): KvmFacts {
  return {
    platform: process.platform,
    hostArch: process.arch,
    deviceError: openError('/dev/kvm'),
    cpuFlags: process.platform === 'linux' ? readCpuFlags() : new Set(),
  };
}

function openError(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown error'; // accessSync throws system errors only
  }
}

function readCpuFlags(): ReadonlySet<string> {
  const line = readFileSync('/proc/cpuinfo', 'utf8').match(/^flags\s*:(.*)$/m);
  return new Set(line?.[1]?.trim().split(/\s+/));
}

/**
 * What a machine runs with: what it asks for, or the best that works.
 * @throws VmError if it asks for one that does not work here.
 */
export function resolveAccelerator(wanted: Accelerator | 'auto', facts: KvmFacts): Accelerator {
  const best = chooseAccelerator(facts);
  if (wanted === 'auto' || wanted === 'tcg' || wanted === best.accel) return wanted === 'auto' ? best.accel : wanted;
  throw new VmError(`accel: ${wanted} does not work on this host: ${best.reason ?? `it offers ${best.accel}`}`, {
    hint: 'leave accel away, or set it to auto, to use what works',
  });
}
