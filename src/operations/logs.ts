import { watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { unlessMissing } from '../host/files.ts';
import { listTargets, type Project, requireMachine, selectOne } from './project.ts';

const CHUNK_BYTES = 64 * 1024;

/**
 * The serial console's log of one machine: what is there, and with `follow` what is added, until `signal` is aborted.
 * A log that becomes shorter was begun anew by a restart, and is read from its beginning.
 */
export async function* logs(
  project: Project,
  name: string | undefined,
  { follow, signal }: { follow: boolean; signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const target = selectOne(await listTargets(project), name);
  const { layout } = await requireMachine(project, target.name);
  let offset = 0;
  for (;;) {
    // Watched from before the read: what is written in between wakes the next round.
    const change = follow ? nextChange(layout.serialLogPath, signal) : undefined;
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

/** True when the file changed, false when `signal` was aborted. */
function nextChange(path: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve(false);
    const watcher = watch(path);
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
