import { type TarMember, tarStream } from '../archives/tar-writer.ts';
import { ARCHIVED_MODE, fileMember } from './file-member.ts';
import type { MachineDisk } from './flatten.ts';

const GIB = 2 ** 30;

/**
 * The content of a .box for vagrant-libvirt, not yet compressed: its first format for one disk, which every version
 * reads, and its second for several. The disks are qcow2 and stand on nothing.
 */
export async function vagrantBox(disks: readonly MachineDisk[]): Promise<AsyncIterable<Uint8Array>> {
  const names = disks.map((_, index) => (index === 0 ? 'box.img' : `box_${index + 1}.img`));
  const metadata: TarMember = { name: 'metadata.json', content: formatMetadata(disks, names), mode: ARCHIVED_MODE };
  const images = await Promise.all(disks.map(({ path }, index) => fileMember(path, names[index] ?? '')));
  return tarStream([metadata, ...images]);
}

function formatMetadata(disks: readonly MachineDisk[], names: readonly string[]): string {
  const layout =
    disks.length === 1
      ? { virtual_size: Math.ceil((disks[0]?.virtualSizeBytes ?? 0) / GIB) }
      : { disks: names.map((path) => ({ path })) };
  return `${JSON.stringify({ provider: 'libvirt', format: 'qcow2', ...layout }, undefined, 2)}\n`;
}
