import { watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { unlessMissing } from '../host/files.ts';
import type { MachineLayout } from '../machine/layout.ts';
import { forEachParallel } from './parallel.ts';
import { findTargets, type Project, requireMachine, requireSpec } from './project.ts';

const CHUNK_BYTES = 64 * 1024;

/** A machine whose log can be read. */
export interface LoggedMachine {
  readonly name: string;
  readonly layout: MachineLayout;
}

/**
 * The selected machines; without patterns all that exist.
 * @throws VmError for a named one that does not exist, or where there is none.
 */
export async function findLogs(project: Project, patterns: readonly string[]): Promise<LoggedMachine[]> {
  const targets = await findTargets(project, patterns);
  if (targets.length === 0) requireSpec(project);
  const existing = targets.filter(({ exists }) => exists);
  const meant = patterns.length === 0 && existing.length > 0 ? existing : targets;
  return Promise.all(meant.map(async ({ name }) => ({ name, layout: (await requireMachine(project, name)).layout })));
}

/** Takes the log of one machine, piece by piece. */
export interface LogReader {
  onBytes(bytes: Uint8Array): void;
  onEnd(): void;
}

export interface LogOptions {
  /** Go on with what is added, until `signal` is aborted or the machine is destroyed. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  readerFor(machine: string): LogReader;
}

/** Reads the serial consoles' logs: one after the other, or, to follow them, all at once. */
export async function logs(machines: readonly LoggedMachine[], options: LogOptions): Promise<void> {
  await forEachParallel(machines, options.follow ? machines.length : 1, async ({ name, layout }) => {
    const reader = options.readerFor(name);
    for await (const bytes of readLog(layout, options)) reader.onBytes(bytes);
    reader.onEnd();
  });
}

/** A log that becomes shorter was begun anew by a restart, and is read from its beginning. */
async function* readLog(layout: MachineLayout, { follow, signal }: LogOptions): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (;;) {
    // Watched from before the read: what is written in between wakes the next round. The folder is watched, because
    // a machine that was never started has no log yet.
    const change = follow ? nextChange(layout.machineDir, signal) : undefined;
    for await (const chunk of readFrom(layout.serialLogPath, offset)) {
      offset = chunk.endOffset;
      yield chunk.bytes;
    }
    if (change === undefined || !(await change)) return;
  }
}

interface Chunk {
  readonly bytes: Uint8Array;
  readonly endOffset: number;
}

async function* readFrom(path: string, offset: number): AsyncGenerator<Chunk> {
  const file = await unlessMissing(open(path, 'r'));
  if (file === undefined) return;
  try {
    const { size } = await file.stat();
    let position = size < offset ? 0 : offset;
    for (;;) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield { bytes: buffer.subarray(0, bytesRead), endOffset: position };
    }
  } finally {
    await file.close();
  }
}

/** True when something in the folder changed, false when the folder is gone or `signal` was aborted. */
async function nextChange(dir: string, signal: AbortSignal): Promise<boolean> {
  return (await unlessMissing(changeIn(dir, signal))) ?? false;
}

function changeIn(dir: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve(false);
    const watcher = watch(dir);
    const finish = (changed: boolean) => {
      watcher.close();
      signal.removeEventListener('abort', onAbort);
      resolve(changed);
    };
    const onAbort = () => finish(false);
    signal.addEventListener('abort', onAbort, { once: true });
    watcher.once('change', () => finish(true));
    watcher.once('error', (error) => {
      watcher.close();
      reject(error);
    });
  });
}
