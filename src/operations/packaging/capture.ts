import { link } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Box } from '../../boxes/box.ts';
import { type BoxDescription, DISK_FILE, extraDiskFile, parentReference } from '../../boxes/box-file.ts';
import { copyOverlay } from '../../boxes/packaging/flatten.ts';
import type { RunContext } from '../../context.ts';
import { duplicateFile, sha256, sha256OfFile } from '../../host/files.ts';
import type { Services } from '../services.ts';
import type { MachineDisks } from './machine-disks.ts';

export interface Capture {
  /** Of a machine that is stopped and stands directly on the disks of `parent`; the root disk first. */
  readonly disks: MachineDisks;
  /** The box that the new one shares everything with but what differs. */
  readonly parent: Box;
  readonly facts: Pick<BoxDescription, 'name' | 'version' | 'arch' | 'seed' | 'user' | 'fingerprint' | 'source'>;
  /** Shown in progress. */
  readonly subject: string;
}

/** What making a box takes of the services. */
export type BoxMaking = RunContext & Pick<Services, 'boxes'>;

/** Makes a box in the store of a machine's disks. @throws as `runQemuImg`. */
export async function captureBox(capture: Capture, services: BoxMaking): Promise<Box> {
  const { disks, parent, facts } = capture;
  const { boxes: store, signal } = services;
  await using staging = await store.stage();
  const digests = await copyDisks(capture, staging.dir, services);
  await shareKernel(parent, staging.dir);
  const key = sha256(JSON.stringify([digests, parent.key, facts.name, facts.version, facts.seed, facts.user]));
  await using _lock = await store.lock(key, { purpose: 'making a box', signal });
  if (await store.has(key)) return await store.get(key);
  const [root, ...extraDisks] = disks;
  // Awaited here: at the end of this function staging folder and lock are given up.
  return await store.commit(staging, {
    ...facts,
    key,
    ...(facts.fingerprint === undefined && { sha256: key }),
    isNamed: true,
    virtualSizeBytes: root.virtualSizeBytes,
    ...(extraDisks.length > 0 && { extraDisks: extraDisks.map(({ virtualSizeBytes }) => ({ virtualSizeBytes })) }),
    commandLine: parent.kernel?.commandLine,
    parentKey: parent.key,
    builtWith: {},
    createdAt: new Date().toISOString(),
  });
}

/** Gives the digests of what was written. */
async function copyDisks({ disks, parent, subject }: Capture, dir: string, services: BoxMaking): Promise<string[]> {
  const tools = { context: services, subject };
  const digests: string[] = [];
  for (const [index, disk] of disks.entries()) {
    const file = index === 0 ? DISK_FILE : extraDiskFile(index);
    const destPath = join(dir, file);
    await copyOverlay(disk, { baseReference: parentReference(parent.key, file), destPath }, tools);
    digests.push(await sha256OfFile(destPath, services.signal));
  }
  return digests;
}

/** Files of a box never change, so two boxes can have the same. */
async function shareKernel({ kernel }: Box, dir: string): Promise<void> {
  if (kernel === undefined) return;
  const { kernelPath, uncompressedKernelPath, initrdPath } = kernel;
  for (const path of [kernelPath, uncompressedKernelPath, initrdPath]) {
    const target = join(dir, basename(path));
    // Some file systems have no hard links.
    await link(path, target).catch(() => duplicateFile(path, target));
  }
}
