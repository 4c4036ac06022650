import { extname } from 'node:path';

/** What a box can be handed on as. `box`: for Vagrant with libvirt; `ova`: for VirtualBox, VMware and others. */
export const PACKAGE_FORMATS = ['box', 'ova', 'qcow2', 'raw', 'vmdk', 'vdi', 'vhdx'] as const;
export type PackageFormat = (typeof PACKAGE_FORMATS)[number];

/** What the name of a file says; undefined if nothing. */
export function formatOfName(path: string): PackageFormat | undefined {
  const extension = extname(path).slice(1).toLowerCase();
  return extension === 'img' ? 'raw' : PACKAGE_FORMATS.find((format) => format === extension);
}
