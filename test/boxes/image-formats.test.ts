import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { convertToQcow2 } from '../../src/boxes/formats/convert.ts';
import type { ImageFormat } from '../../src/boxes/formats/detect.ts';
import { type InspectedImage, inspectImage } from '../../src/boxes/formats/inspect.ts';
import type { ReportEvent } from '../../src/context.ts';
import { InterruptedError } from '../../src/errors.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { tools } from '../support/tools.ts';
import { patch, patchFooter, patchLog } from './patched-images.ts';

const runProgram = promisify(execFile);
const qemuImg = (...args: string[]) => runProgram(tools.qemuImg, args);
const isRoot = process.getuid?.() === 0;
const never = new AbortController().signal;

/** No whole number of the clusters, grains and blocks of any format, nor of cylinders. */
const DISK_BYTES = 5 * 2 ** 20 + 3 * 512;

let dir: string;
let disk: Buffer;
const at = (name: string) => join(dir, name);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-images-'));
  disk = Buffer.alloc(DISK_BYTES);
  disk.write('\x55\xaa', 510, 'latin1');
  // Data in the middle and at the end that no format can compress: SHA-256 of what comes before.
  for (let offset = 2 ** 20; offset < DISK_BYTES; offset += offset === 3 * 2 ** 20 ? 2 ** 20 : 32) {
    createHash('sha256').update(String(offset)).digest().copy(disk, offset);
  }
  await writeFile(at('disk.raw'), disk);
});
afterAll(() => rm(dir, { recursive: true }));

/** Writes the disk in this format, with the real qemu-img. */
async function makeImage(name: string, format: ImageFormat, options = ''): Promise<string> {
  await qemuImg('convert', '-f', 'raw', '-O', format, ...(options && ['-o', options]), at('disk.raw'), at(name));
  return at(name);
}

function inspect(imagePath: string): Promise<InspectedImage> {
  return inspectImage({ imagePath, shownAs: 'IMAGE' }, never);
}

/** Converts an image; gives the bytes of the disk that came out, and what was reported. */
async function convert(imagePath: string, format: ImageFormat): Promise<{ bytes: Buffer; events: ReportEvent[] }> {
  const events: ReportEvent[] = [];
  const context = { reporter: { report: (event: ReportEvent) => void events.push(event) }, signal: never };
  const destPath = `${imagePath}.converted`;
  await convertToQcow2({ imagePath, format, destPath }, { context, subject: 'm' });
  await qemuImg('convert', '-f', 'qcow2', '-O', 'raw', destPath, `${destPath}.raw`);
  return { bytes: await readFile(`${destPath}.raw`), events };
}

describe('an image that is what it says is inspected, and converted without a difference', () => {
  test.each<[ImageFormat, string]>([
    ['raw', ''],
    ['qcow2', ''],
    ['qcow2', 'compat=0.10,cluster_size=512'],
    ['qcow2', 'extended_l2=on,cluster_size=2M'],
    ['vmdk', ''],
    ['vmdk', 'subformat=streamOptimized'],
    ['vdi', ''],
    ['vdi', 'static=on'],
    ['vpc', 'force_size=on'],
    ['vpc', 'force_size=on,subformat=fixed'],
    ['vhdx', ''],
    ['vhdx', 'subformat=fixed'],
  ])('%s %s', async (format, options) => {
    const imagePath = await makeImage(`good.${options}.${format}`, format, options);
    expect(await inspect(imagePath)).toEqual({ format, virtualSizeBytes: DISK_BYTES });
    const { bytes, events } = await convert(imagePath, format);
    expect(bytes.equals(disk)).toBe(true);
    expect(events.at(-1)).toEqual({ type: 'progress', subject: 'm', text: '100 %' });
  });

  test.each([
    ['dynamic', 0],
    ['fixed', DISK_BYTES],
  ])(
    'a %s VHD is as large as its footer says, though QEMU would trust its geometry',
    async (subformat, footerOffset) => {
      const imagePath = await makeImage(`azure-${subformat}.vhd`, 'vpc', `force_size=on,subformat=${subformat}`);
      await patchFooter(imagePath, footerOffset);
      const guessed = JSON.parse((await qemuImg('info', '-f', 'vpc', '--output=json', imagePath)).stdout);
      expect(guessed['virtual-size']).toBeLessThan(DISK_BYTES);
      expect(await inspect(imagePath)).toEqual({ format: 'vpc', virtualSizeBytes: DISK_BYTES });
      expect((await convert(imagePath, 'vpc')).bytes.equals(disk)).toBe(true);
    },
  );

  test('a name with what means something to QEMU', async () => {
    const imagePath = at('a "b",c:d%20é.vdi');
    await copyFile(await makeImage('named.vdi', 'vdi'), imagePath);
    expect((await inspect(imagePath)).format).toBe('vdi');
    expect((await convert(imagePath, 'vdi')).bytes.equals(disk)).toBe(true);
  });
});

describe('an image that refers to other files is refused', () => {
  test('a qcow2 with a backing file', async () => {
    await qemuImg('create', '-q', '-f', 'qcow2', '-b', '/etc/passwd', '-F', 'raw', at('overlay.qcow2'), '1M');
    await expect(inspect(at('overlay.qcow2'))).rejects.toThrow('it stands on another file, /etc/passwd');
  });

  test('a qcow2 with a data file', async () => {
    await qemuImg('create', '-q', '-f', 'qcow2', '-o', `data_file=${at('elsewhere.raw')}`, at('outside.qcow2'), '1M');
    await expect(inspect(at('outside.qcow2'))).rejects.toThrow('its data is in another file');
  });

  test('the backing file of an image that nobody inspected is not opened', async () => {
    const imagePath = at('uninspected.qcow2');
    await qemuImg('create', '-q', '-f', 'qcow2', '-b', at('disk.raw'), '-F', 'raw', imagePath);
    expect((await convert(imagePath, 'qcow2')).bytes.equals(Buffer.alloc(DISK_BYTES))).toBe(true);
  });

  test('a VMDK descriptor with an absolute extent', async () => {
    await writeFile(
      at('descriptor.vmdk'),
      '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 2 FLAT "/etc/passwd" 0\n',
    );
    await expect(qemuImg('info', at('descriptor.vmdk'))).resolves.toMatchObject({
      stdout: expect.stringContaining('/etc/passwd'),
    });
    await expect(inspect(at('descriptor.vmdk'))).rejects.toThrow('it is one part of an image in several files');
  });

  test.each(['descriptor', 'extent'])('the %s of a VMDK in several files', async (part) => {
    const descriptorPath = await makeImage(`${part}.vmdk`, 'vmdk', 'subformat=twoGbMaxExtentSparse');
    const imagePath = part === 'descriptor' ? descriptorPath : at('extent-s001.vmdk');
    await expect(inspect(imagePath)).rejects.toMatchObject({
      message: 'IMAGE cannot be used as a box: it is one part of an image in several files',
      hint: expect.stringContaining('qemu-img convert -O qcow2 DESCRIPTOR.vmdk disk.qcow2'),
    });
  });

  test('a VMDK whose sparse header makes QEMU read a descriptor', async () => {
    const imagePath = await makeImage('no-capacity.vmdk', 'vmdk');
    await patch(imagePath, 12, Buffer.alloc(8));
    const lines = 'CID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 2 FLAT "/etc/passwd" 0\n\0';
    await patch(imagePath, 512, Buffer.from(lines));
    await expect(qemuImg('info', imagePath)).resolves.toMatchObject({ stdout: expect.stringContaining('/etc/passwd') });
    await expect(inspect(imagePath)).rejects.toThrow('it is one part of an image in several files');
  });

  test('a VMDK on another one', async () => {
    await makeImage('parent.vmdk', 'vmdk');
    await qemuImg('create', '-q', '-f', 'vmdk', '-b', at('parent.vmdk'), '-F', 'vmdk', at('child.vmdk'));
    await expect(inspect(at('child.vmdk'))).rejects.toThrow(`it stands on another file, ${at('parent.vmdk')}`);
  });

  test.each<[ImageFormat, number, Buffer]>([
    ['vdi', 0x4c, Buffer.from([4, 0, 0, 0])],
    ['vpc', 60, Buffer.from([0, 0, 0, 4])],
    ['vhdx', 3 * 2 ** 20 + 65_536 + 4, Buffer.from([2, 0, 0, 0])],
  ])('a differencing %s', async (format, offset, bytes) => {
    const imagePath = await makeImage(`child.${format}`, format);
    await patch(imagePath, offset, bytes);
    await expect(inspect(imagePath)).rejects.toThrow('it stands on another file: it holds only what');
  });
});

describe('an image that is not whole, or lies, is refused', () => {
  test.each<[ImageFormat, string, number]>([
    ['qcow2', '', 100_000],
    ['vmdk', '', 100],
    ['vmdk', '', 131_072],
    ['vmdk', 'subformat=streamOptimized', 131_072],
    ['vdi', '', 100],
    ['vdi', '', 2 ** 20],
    ['vdi', 'static=on', 512],
    ['vpc', '', 512],
    ['vpc', '', 2 ** 20],
    ['vhdx', '', 4 * 2 ** 20],
  ])('%s %s without its last %d bytes', async (format, options, missingBytes) => {
    const imagePath = await makeImage(`cut.${options}.${missingBytes}.${format}`, format, options);
    await truncate(imagePath, (await stat(imagePath)).size - missingBytes);
    await expect(inspect(imagePath)).rejects.toMatchObject({
      message: expect.stringMatching(/^IMAGE .*is damaged or not whole$/),
      hint: 'get it again, and compare its checksum',
    });
  });

  test('a VHDX that was in use when its machine lost power', async () => {
    const imagePath = await makeImage('dirty.vhdx', 'vhdx');
    await patchLog(imagePath);
    await expect(inspect(imagePath)).rejects.toMatchObject({
      message: 'IMAGE cannot be used as a box: it was not closed properly',
      hint: expect.stringContaining('qemu-img check -r all COPY'),
    });
    await qemuImg('check', '-r', 'all', imagePath);
    expect(await inspect(imagePath)).toEqual({ format: 'vhdx', virtualSizeBytes: DISK_BYTES });
  });

  test('a fixed VHD without its end is a raw image, which says nothing of its size', async () => {
    const imagePath = await makeImage('cut.vhd', 'vpc', 'force_size=on,subformat=fixed');
    await truncate(imagePath, DISK_BYTES - 512);
    expect(await inspect(imagePath)).toEqual({ format: 'raw', virtualSizeBytes: DISK_BYTES - 512 });
  });

  test('a qcow2 that lies about its size', async () => {
    const imagePath = await makeImage('lying.qcow2', 'qcow2');
    await patch(imagePath, 24, Buffer.from([0, 0, 0x0f, 0, 0, 0, 0, 0]));
    await expect(inspect(imagePath)).rejects.toThrow('IMAGE cannot be used as a box: its header lies about its size');
  });

  test.each([
    ['16T', true],
    ['17T', false],
    ['0', false],
  ])('an honest qcow2 of %s', async (size, isAccepted) => {
    const imagePath = at(`size-${size}.qcow2`);
    await qemuImg('create', '-q', '-f', 'qcow2', '-o', 'cluster_size=2M', imagePath, size);
    const inspected = inspect(imagePath);
    if (isAccepted) expect(await inspected).toEqual({ format: 'qcow2', virtualSizeBytes: 16 * 2 ** 40 });
    else await expect(inspected).rejects.toThrow(/the disk in it (has no size|is larger than 16 TiB)/);
  });
});

describe('what stops a conversion', () => {
  test('Ctrl-C', async () => {
    const context = { reporter: { report: () => {} }, signal: AbortSignal.abort() };
    const conversion = { imagePath: at('disk.raw'), format: 'raw' as const, destPath: at('never.qcow2') };
    await expect(convertToQcow2(conversion, { context, subject: 'm' })).rejects.toThrow(InterruptedError);
  });

  test.runIf(isRoot)('a full disk', async () => {
    await using full = await mountTmpfs('1m');
    const context = { reporter: { report: () => {} }, signal: never };
    const destPath = join(full.dir, 'disk.qcow2');
    const conversion = { imagePath: at('disk.raw'), format: 'raw' as const, destPath };
    await expect(convertToQcow2(conversion, { context, subject: 'm' })).rejects.toMatchObject({
      message: `cannot write ${destPath}: the disk is full`,
      hint: expect.stringContaining('free some space'),
    });
  });

  test('an image that cannot be read', async () => {
    const context = { reporter: { report: () => {} }, signal: never };
    const conversion = { imagePath: at('disk.raw'), format: 'vdi' as const, destPath: at('unread.qcow2') };
    await expect(convertToQcow2(conversion, { context, subject: 'm' })).rejects.toThrow(/Image not in VDI format/);
  });
});
