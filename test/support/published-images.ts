import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseBuildMode, confined } from '../../src/boxes/build-mode.ts';
import { run } from '../../src/host/exec.ts';
import { sha256 } from '../../src/host/files.ts';
import { rootDir, testHomeDir } from './paths.ts';

const scriptPath = join(rootDir, 'test/fixtures/published-images/make');

export interface PublishedImages {
  /** With partitions, GRUB and cloud-init. */
  readonly cloudImagePath: string;
  /** For vagrant-libvirt, with Vagrant's public key. */
  readonly vagrantBoxPath: string;
}

/** Images like those that other people publish, made of Debian packages; kept between runs. */
export async function publishedImages(): Promise<PublishedImages> {
  const parent = join(testHomeDir, 'images');
  const dir = join(parent, sha256(await readFile(scriptPath)).slice(0, 12));
  if (!existsSync(dir)) {
    await mkdir(parent, { recursive: true });
    const { signal } = new AbortController();
    await run(confined(await chooseBuildMode(signal), { file: scriptPath, args: [dir] }), { signal });
  }
  return { cloudImagePath: join(dir, 'cloud.qcow2'), vagrantBoxPath: join(dir, 'vagrant.box') };
}
