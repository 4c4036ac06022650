import type { BoxManifest, Chunk } from '../../../../src/boxes/oci/artifact.ts';
import type { BoxConfig } from '../../../../src/boxes/oci/box-config.ts';

export const HEX = '0123456789abcdef'.repeat(4);
const MIB = 2 ** 20;

/** A box with a kernel. Of its disk the middle is all zero. */
export const sampleConfig: BoxConfig = {
  name: 'team/app',
  version: '1.2.0',
  arch: 'x86_64',
  seed: 'machinefile',
  user: 'dev',
  virtualSizeBytes: 10 * 2 ** 30,
  extraDisks: [],
  commandLine: 'root=/dev/vda quiet',
  files: (['disk.qcow2', 'vmlinuz', 'vmlinux', 'initrd.img'] as const).map((name) => ({
    name,
    bytes: name === 'disk.qcow2' ? 70 * MIB : 5 * MIB,
    sha256: HEX,
    chunks: name === 'disk.qcow2' ? 2 : 1,
  })),
};

const chunk = (file: Chunk['file'], offset: number, length: number): Chunk => ({
  file,
  offset,
  length,
  sha256: HEX,
  blob: { mediaType: 'application/vnd.machinefile.box.chunk.v1+zstd', digest: `sha256:${HEX}`, size: 1000 },
});

export const sampleManifest: BoxManifest = {
  config: { mediaType: 'application/vnd.machinefile.box.config.v1+json', digest: `sha256:${HEX}`, size: 500 },
  chunks: [
    chunk('disk.qcow2', 0, 32 * MIB),
    chunk('disk.qcow2', 64 * MIB, 6 * MIB),
    chunk('vmlinuz', 0, 5 * MIB),
    chunk('vmlinux', 0, 5 * MIB),
    chunk('initrd.img', 0, 5 * MIB),
  ],
};
