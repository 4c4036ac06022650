const SECTOR = 2048;
const CATALOG_SECTOR = 19;
const IMAGE_SECTOR = 20;

/** What appears on the screen and the first serial port. */
export interface BootTexts {
  /** When the installer has written a boot sector to the first disk. */
  readonly installed: string;
  /** When that disk is booted. */
  readonly system: string;
}

/**
 * A CD image that the BIOS boots: the smallest installer there can be.
 * Format: ISO 9660 volume descriptors and the El Torito specification, "no emulation".
 */
export function installerIso(texts: BootTexts): Uint8Array {
  const iso = Buffer.alloc(SECTOR * (IMAGE_SECTOR + 1));
  writeDescriptor(iso, 16, 1);
  writeDescriptor(iso, 17, 0);
  iso.write('EL TORITO SPECIFICATION', SECTOR * 17 + 7, 'latin1');
  iso.writeUInt32LE(CATALOG_SECTOR, SECTOR * 17 + 0x47);
  writeDescriptor(iso, 18, 255);
  bootCatalog().copy(iso, SECTOR * CATALOG_SECTOR);
  installer(texts).copy(iso, SECTOR * IMAGE_SECTOR);
  return iso;
}

function writeDescriptor(iso: Buffer, sector: number, type: number): void {
  iso.writeUInt8(type, SECTOR * sector);
  iso.write('CD001\u0001', SECTOR * sector + 1, 'latin1');
}

function bootCatalog(): Buffer {
  const catalog = Buffer.alloc(64);
  catalog.writeUInt8(1, 0);
  catalog.writeUInt16LE(0xaa55, 0x1e);
  // The words of the first entry add up to zero: 1 + 0xaa55 + this one.
  catalog.writeUInt16LE(0x10000 - 0xaa55 - 1, 0x1c);
  catalog.writeUInt8(0x88, 0x20); // bootable
  catalog.writeUInt16LE(4, 0x26); // sectors of 512 bytes to load
  catalog.writeUInt32LE(IMAGE_SECTOR, 0x28);
  return catalog;
}

/** The installer's own sector, then the one that it writes to the disk. */
function installer({ installed, system }: BootTexts): Buffer {
  return Buffer.concat([bootSector([...WRITE_SECOND_SECTOR, ...STOP_ON_ERROR], installed), bootSector([], system)]);
}

/** Where the BIOS loads a boot sector, and the installer's second one right behind it. */
const LOAD_ADDRESS = 0x7c00;
const BOOT_SECTOR = 512;

// 16-bit x86 code.
const SET_UP = [
  [0x31, 0xc0], // xor ax, ax
  [0x8e, 0xd8], // mov ds, ax
  [0x8e, 0xc0], // mov es, ax
  [0x8e, 0xd0], // mov ss, ax
  [0xbc, ...word(LOAD_ADDRESS)], // mov sp, LOAD_ADDRESS
].flat();

const WRITE_SECOND_SECTOR = [
  [0xb8, 0x01, 0x03], // mov ax, 0x0301: write one sector
  [0xbb, ...word(LOAD_ADDRESS + BOOT_SECTOR)], // mov bx, …: from there
  [0xb9, 0x01, 0x00], // mov cx, 0x0001: cylinder 0, sector 1
  [0xba, 0x80, 0x00], // mov dx, 0x0080: head 0 of the first disk
  [0xcd, 0x13], // int 0x13
].flat();

const STOP_ON_ERROR = [
  [0x73, 0x03], // jnc over this
  [0xf4], // hlt
  [0xeb, 0xfd], // jmp back to hlt
].flat();

/** Two pictures of the same text must be the same: the cursor would blink. */
const HIDE_CURSOR = [
  [0xb4, 0x01], // mov ah, 0x01: shape of the cursor
  [0xb9, 0x00, 0x20], // mov cx, 0x2000: none
  [0xcd, 0x10], // int 0x10
].flat();

const PRINT_AND_STOP = [
  [0xac], // lodsb
  [0x84, 0xc0], // test al, al
  [0x74, 0x0d], // jz to hlt
  [0xb4, 0x0e], // mov ah, 0x0e: write a character
  [0xbb, 0x07, 0x00], // mov bx, 0x0007: page 0, grey
  [0xcd, 0x10], // int 0x10
  [0xba, 0xf8, 0x03], // mov dx, 0x03f8: the first serial port
  [0xee], // out dx, al
  [0xeb, 0xee], // jmp to lodsb
  [0xf4], // hlt
  [0xeb, 0xfd], // jmp back to hlt
].flat();

/** A boot sector that takes some steps, then shows a text and stops. The text is on the screen before on the port. */
function bootSector(steps: readonly number[], text: string): Buffer {
  const before = [...SET_UP, ...steps, ...HIDE_CURSOR];
  const loadSource = (address: number) => [0xbe, ...word(address)]; // mov si, address
  const textOffset = before.length + loadSource(0).length + PRINT_AND_STOP.length;
  const sector = Buffer.alloc(BOOT_SECTOR);
  sector.set([...before, ...loadSource(LOAD_ADDRESS + textOffset), ...PRINT_AND_STOP]);
  sector.write(text, textOffset, 'latin1');
  sector.writeUInt16LE(0xaa55, BOOT_SECTOR - 2);
  return sector;
}

/** Its bytes, the low one first. */
function word(value: number): [number, number] {
  return [value & 0xff, value >> 8];
}
