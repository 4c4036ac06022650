import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { tools } from './tools.ts';

const runProgram = promisify(execFile);

/** Makes a disk image with the real qemu-img; `options` are those of `qemu-img create`, relative to its folder. */
export async function createImage(path: string, options: readonly string[] = [], size = '64M'): Promise<void> {
  await runProgram(tools.qemuImg, ['create', '-q', '-f', 'qcow2', ...options, path, size], { cwd: dirname(path) });
}
