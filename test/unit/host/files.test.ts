import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InterruptedError } from '../../../src/errors.ts';
import { sha256OfFile } from '../../../src/host/files.ts';

test('a digest that is interrupted', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'vm-files-'));
  try {
    await writeFile(join(dir, 'file'), 'abc');
    // FIPS 180-2, appendix B.1.
    expect(await sha256OfFile(join(dir, 'file'))).toMatch(/^ba7816bf.*f20015ad$/);
    await expect(sha256OfFile(join(dir, 'file'), AbortSignal.abort())).rejects.toBeInstanceOf(InterruptedError);
  } finally {
    await rm(dir, { recursive: true });
  }
});
