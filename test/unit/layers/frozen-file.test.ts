import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256 } from '../../../src/host/files.ts';
import { checkFile } from '../../../src/layers/frozen-file.ts';

const { signal } = new AbortController();
const frozen = { sha256: sha256('content'), bytes: 'content'.length };

const TICK_MS = 20;

test('a reading begins when the last change is older than a tick of the kernel: a change after it shows', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'vm-frozen-'));
  try {
    const path = join(dir, 'disk');
    await writeFile(path, 'content');
    const { ctimeMs } = await stat(path);
    const { problem, file } = await checkFile(path, frozen, { look: 'bytes', signal });
    expect(Date.now() - ctimeMs).toBeGreaterThanOrEqual(TICK_MS);
    await writeFile(path, 'kontent', { flag: 'r+' });
    expect(problem).toBeUndefined();
    const check = await checkFile(path, file, { look: 'changes', signal });
    expect(check).toEqual({ problem: 'its content has changed', file: frozen });
  } finally {
    await rm(dir, { recursive: true });
  }
});
