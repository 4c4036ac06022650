const SECTOR = 2048;
const CATALOG_SECTOR = 19;
const IMAGE_SECTOR = 20;

/**
 * A CD image that the BIOS boots: it writes a text to the first serial port and stops.
 * Format: ISO 9660 volume descriptors and the El Torito specification, "no emulation".
 */
export function bootableIso(message: string): Uint8Array {
  const iso = Buffer.alloc(SECTOR * (IMAGE_SECTOR + 1));
  writeDescriptor(iso, 16, 1);
  writeDescriptor(iso, 17, 0);
  iso.write('EL TORITO SPECIFICATION', SECTOR * 17 + 7, 'latin1');
  iso.writeUInt32LE(CATALOG_SECTOR, SECTOR * 17 + 0x47);
  writeDescriptor(iso, 18, 255);
  bootCatalog().copy(iso, SECTOR * CATALOG_SECTOR);
  bootCode(message).copy(iso, SECTOR * IMAGE_SECTOR);
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

/** 16-bit code, loaded at 0x7c00. */
function bootCode(message: string): Buffer {
  const code = Buffer.from([
    0x31,
    0xc0, // xor ax, ax
    0x8e,
    0xd8, // mov ds, ax
    0xbe,
    0x15,
    0x7c, // mov si, message
    0xba,
    0xf8,
    0x03, // mov dx, 0x3f8
    0xac, // next: lodsb
    0x84,
    0xc0, // test al, al
    0x74,
    0x03, // jz stop
    0xee, // out dx, al
    0xeb,
    0xf8, // jmp next
    0xf4, // stop: hlt
    0xeb,
    0xfd, // jmp stop
  ]);
  return Buffer.concat([code, Buffer.from(`${message}\0`, 'latin1')]);
}
