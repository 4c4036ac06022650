import { existsSync } from 'node:fs';
import { VmError } from '../../errors.ts';
import type { Arch, MachineSpec } from '../../machinefile/spec.ts';

export interface FirmwareImages {
  readonly codePath: string;
  /** The template of the variables: each machine has a copy. */
  readonly variablesPath: string;
}

/** Where distributions keep UEFI for guests: Debian and Ubuntu, Fedora, Arch, Homebrew. The first pair there is taken. */
const CANDIDATES: Readonly<Record<Arch, readonly FirmwareImages[]>> = {
  x86_64: [
    { codePath: '/usr/share/OVMF/OVMF_CODE_4M.fd', variablesPath: '/usr/share/OVMF/OVMF_VARS_4M.fd' },
    { codePath: '/usr/share/OVMF/OVMF_CODE.fd', variablesPath: '/usr/share/OVMF/OVMF_VARS.fd' },
    { codePath: '/usr/share/edk2/ovmf/OVMF_CODE.fd', variablesPath: '/usr/share/edk2/ovmf/OVMF_VARS.fd' },
    { codePath: '/usr/share/edk2/x64/OVMF_CODE.4m.fd', variablesPath: '/usr/share/edk2/x64/OVMF_VARS.4m.fd' },
    {
      codePath: '/opt/homebrew/share/qemu/edk2-x86_64-code.fd',
      variablesPath: '/opt/homebrew/share/qemu/edk2-i386-vars.fd',
    },
  ],
  aarch64: [
    { codePath: '/usr/share/AAVMF/AAVMF_CODE.fd', variablesPath: '/usr/share/AAVMF/AAVMF_VARS.fd' },
    {
      codePath: '/opt/homebrew/share/qemu/edk2-aarch64-code.fd',
      variablesPath: '/opt/homebrew/share/qemu/edk2-arm-vars.fd',
    },
  ],
};

/** The UEFI images of this host; undefined where none is installed. */
export function findFirmwareImages(arch: Arch): FirmwareImages | undefined {
  return CANDIDATES[arch].find(({ codePath, variablesPath }) => existsSync(codePath) && existsSync(variablesPath));
}

/** What a machine boots by; undefined for BIOS, which QEMU brings along. @throws VmError with what to install. */
export function uefiOf({ arch, firmware }: Pick<MachineSpec, 'arch' | 'firmware'>): FirmwareImages | undefined {
  return firmware === 'uefi' ? firmwareImages(arch) : undefined;
}

/** @throws VmError with what to install. */
function firmwareImages(arch: Arch): FirmwareImages {
  const images = findFirmwareImages(arch);
  if (images === undefined) {
    throw new VmError('no UEFI firmware for guests is installed', {
      hint: arch === 'x86_64' ? 'apt install ovmf' : 'apt install qemu-efi-aarch64',
    });
  }
  return images;
}
