import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { run } from '../../host/exec.ts';
import { sha256, unlessMissing } from '../../host/files.ts';
import { stampOf } from '../../machine/disk-stamp.ts';
import type { DiskStamp, HostFacts, HypervisorFacts, MemoryFacts, MemoryFiles } from '../../machine/memory.ts';

/** What there is on this host, to compare a memory with. */
export interface PlaceFacts {
  /** Of the state file; undefined where it is gone. */
  readonly bytes: number | undefined;
  readonly host: HostFacts;
  readonly disks: readonly (DiskStamp | undefined)[];
}

export async function observePlace({ statePath }: MemoryFiles, saved: MemoryFacts): Promise<PlaceFacts> {
  const file = await unlessMissing(stat(statePath));
  return {
    bytes: file?.size,
    host: readHostFacts(saved.command.args),
    disks: await Promise.all(saved.disks.map(({ path }) => stampOf(path))),
  };
}

/** Why a memory cannot be restored here, before anything is started for it; undefined where it may be. Pure. */
export function obstacleHere(saved: MemoryFacts, { bytes, host, disks }: PlaceFacts): string | undefined {
  if (bytes === undefined) return 'the file that it was saved in is gone';
  if (bytes !== saved.bytes) return `the file that it was saved in has ${bytes} bytes instead of ${saved.bytes}`;
  if (host.cpu !== saved.host.cpu) return 'the processor of this host is another one than when it was saved';
  for (const [index, { path, bytes: size, modifiedNs }] of saved.disks.entries()) {
    const disk = disks[index];
    if (disk === undefined) return `the disk ${path} is not there any more`;
    if (disk.bytes !== size || disk.modifiedNs !== modifiedNs) return `the disk ${path} has been written to since then`;
  }
  return undefined;
}

/** Why a hypervisor that was started for it cannot take a memory; undefined where it may. Pure. */
export function obstacleIn(saved: HypervisorFacts, now: HypervisorFacts): string | undefined {
  if (now.version !== saved.version) {
    return `it was saved by QEMU ${saved.version}, and ${now.version} is installed now`;
  }
  if (now.machineType !== saved.machineType) {
    return `it was saved on a machine of the type ${saved.machineType}, and now that is ${now.machineType}`;
  }
  if (now.argsFingerprint !== saved.argsFingerprint) return 'the machine has other devices now';
  return undefined;
}

/** Of the QEMU that would be started now; undefined where it does not tell. */
export async function readInstalledVersion(file: string): Promise<string | undefined> {
  const { stdout } = await run({ file, args: ['--version'] });
  return /version (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
}

/** What a guest sees of this host's processor if it runs on it: nothing where QEMU emulates one. */
export function readHostFacts(args: readonly string[]): HostFacts {
  const accel = args[args.indexOf('-accel') + 1] ?? '';
  return accel.startsWith('tcg') ? {} : { cpu: cpuFingerprint(readFileSync('/proc/cpuinfo', 'utf8')) };
}

/** What of /proc/cpuinfo makes a processor another one for a guest. Clock rates and the like change all the time. Pure. */
export function cpuFingerprint(cpuinfo: string): string {
  const [first = ''] = cpuinfo.split('\n\n');
  const telling = /^(vendor_id|cpu family|model|model name|stepping|flags|CPU implementer|CPU part|Features)\s*:/;
  return sha256(
    first
      .split('\n')
      .filter((line) => telling.test(line))
      .join('\n'),
  ).slice(0, 16);
}
