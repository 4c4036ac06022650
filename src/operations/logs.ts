import { watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { unlessMissing } from '../host/files.ts';
import { findTarget, type Project, requireMachine } from './project.ts';

const CHUNK_BYTES = 64 * 1024;

/**
 * The serial console's log of one machine: what is there, and with `follow` what is added, until `signal` is aborted or
 * the machine is destroyed.
 * A log that becomes shorter was begun anew by a restart, and is read from its beginning.
 */
export async function* logs(
  project: Project,
  name: string | undefined,
  { follow, signal }: { follow: boolean; signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const target = await findTarget(project, name);
  const { layout } = await requireMachine(project, target.name);
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
