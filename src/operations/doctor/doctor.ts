import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { canBuildRootless } from '../../boxes/build-mode.ts';
import { CommandError, MissingToolError } from '../../errors.ts';
import { findTool, run } from '../../host/exec.ts';
import { chooseAccelerator, readKvmFacts } from '../../providers/qemu/accelerator.ts';
import { findFirmwareImages } from '../../providers/qemu/firmware.ts';
import type { Services } from '../services.ts';
import { FORMAT_TOOL, findFormatTool } from '../volumes/format.ts';
import { type Check, judgeHost, type QemuFinding } from './checks.ts';

const TOOLS = ['qemu-img', 'ssh', 'rsync', 'mmdebstrap'];

/** Finds out what this host has and lacks. Changes nothing. */
export async function doctor({ dirs, uid, hasVde }: Services): Promise<Check[]> {
  return judgeHost({
    qemu: await findQemuVersion(),
    accelerator: chooseAccelerator(readKvmFacts()),
    tools: { ...Object.fromEntries(TOOLS.map((tool) => [tool, findTool(tool)])), [FORMAT_TOOL]: findFormatTool() },
    hasVde: await hasVde(),
    hasUefi: findFirmwareImages('x86_64') !== undefined,
    canBuildRootless: await canBuildRootless(),
    isRoot: uid === 0,
    freeBytes: await readFreeBytes(dirs.homeDir),
    homeDir: dirs.homeDir,
  });
}

async function findQemuVersion(): Promise<QemuFinding> {
  try {
    const { stdout } = await run({ file: 'qemu-system-x86_64', args: ['--version'] });
    return { version: stdout.match(/version (\S+)/)?.[1] ?? 'of unknown version' };
  } catch (error) {
    if (error instanceof MissingToolError) return { problem: 'not installed' };
    if (error instanceof CommandError) return { problem: error.message };
    throw error;
  }
}

/** Free bytes where the folder is, or will be. */
async function readFreeBytes(path: string): Promise<number> {
  let existing = path;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  return bavail * bsize;
}
