import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testHomeDir } from './paths.ts';
import { publishedImages } from './published-images.ts';
import { runVm } from './run-vm.ts';

/** Makes the boxes and images that the tests on real guests stand on; instant when they are there. */
export async function setup(): Promise<void> {
  // What the machines of earlier tests used is of interest to nobody, and what was kept of them would be found again.
  for (const name of ['usage', 'layers']) await rm(join(testHomeDir, name), { recursive: true, force: true });
  const home = await mkdtemp(join(tmpdir(), 'vm-test-'));
  try {
    for (const box of ['tiny', 'debian/12']) {
      const env = { PATH: process.env.PATH, HOME: home, VM_HOME: testHomeDir };
      const { exitCode, stderr } = await runVm({ args: ['box', 'build', box], cwd: home, env });
      if (exitCode !== 0) throw new Error(`vm box build ${box} failed:\n${stderr}`);
    }
    await publishedImages();
  } finally {
    await rm(home, { recursive: true });
  }
}
