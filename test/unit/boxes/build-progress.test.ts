import { expect, test } from 'vitest';
import { InstallProgress } from '../../../src/boxes/build-progress.ts';

test('steps of mmdebstrap and counted packages', () => {
  const progress = new InstallProgress();
  const lines = [
    ['I: running apt-get update...', 'running apt-get update'],
    ['Get:1 http://deb.debian.org/debian bookworm InRelease [151 kB]', 'downloading packages'],
    ['Reading package lists...', undefined],
    ['I: downloading packages with apt...', 'downloading packages with apt'],
    ['0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.', undefined],
    ['Setting up libc6:amd64 (2.36-9) ...', 'setting up packages: 1 of 2'],
    ['Processing triggers for libc-bin (2.36-9) ...', undefined],
    ['Setting up rsync (3.2.7-1) ...', 'setting up packages: 2 of 2'],
    ['Setting up libc6:amd64 (2.36-9) ...', 'setting up packages'],
  ] as const;
  expect(lines.map(([line]) => progress.read(line))).toEqual(lines.map(([, text]) => text));
});
