import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decompress } from '../../src/boxes/archives/compression.ts';
import { readTar } from '../../src/boxes/archives/tar-reader.ts';
import { writeSparse } from '../../src/boxes/archives/write-sparse.ts';
import { mountTmpfs } from '../support/tmpfs.ts';

const runProgram = promisify(execFile);
const { signal } = new AbortController();

const KIB = 1024;
const DISK_BYTES = 64 * 2 ** 20;
/** More than a header has octal digits for. */
const HUGE_BYTES = 20 * 2 ** 30 + 5;
const LONG_NAME = `${'folder'.repeat(20)}/${'name'.repeat(30)}`;

let dir: string;
let boxDir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-tar-'));
  boxDir = join(dir, 'box');
  await mkdir(join(boxDir, dirname(LONG_NAME)), { recursive: true });
  await writeFile(join(boxDir, 'metadata.json'), '{"provider":"libvirt"}');
  await writeFile(join(boxDir, LONG_NAME), 'long');
  await writeFile(join(boxDir, 'empty'), '');
  await writeFile(join(boxDir, 'ünïcode'), 'x');
  const parts = Array.from({ length: 60 }, (_, index) => index * 2 ** 20);
  await writeHoley(join(boxDir, 'box.img'), parts, DISK_BYTES);
});

afterAll(() => rm(dir, { recursive: true }));

/** A file with 4 KiB of data at each offset. */
async function writeHoley(path: string, offsets: readonly number[], sizeBytes: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const offset of offsets) await file.write(Buffer.alloc(4 * KIB, `${offset} `), 0, 4 * KIB, offset);
    await file.truncate(sizeBytes);
  } finally {
    await file.close();
  }
}

async function tar(name: string, options: readonly string[], files: readonly string[] = ['.']): Promise<string> {
  const path = join(dir, name);
  await runProgram('tar', ['-c', '-f', path, '-C', boxDir, ...options, ...files]);
  return path;
}

/** Unpacks into a new folder; gives that and the names. */
async function unpack(
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly outDir: string; readonly names: string[] }> {
  const outDir = await mkdtemp(join(dir, 'out-'));
  const names: string[] = [];
  await readTar(
    source,
    async ({ name, sizeBytes }, content) => {
      names.push(name);
      const path = join(outDir, name);
      await mkdir(dirname(path), { recursive: true });
      await writeSparse(path, content, { sizeBytes, signal });
    },
    { shownAs: 'the.box' },
  );
  return { outDir, names: names.sort() };
}

const kibOnDisk = async (path: string) => (await stat(path)).blocks / 2;

const ALL = ['box.img', 'empty', LONG_NAME, 'metadata.json', 'ünïcode'];

describe.each([
  ['gnu', ['--format=gnu']],
  ['gnu, sparse', ['--format=gnu', '-S']],
  ['oldgnu, sparse', ['--format=oldgnu', '-S']],
  ['pax', ['--format=pax']],
  ['pax, sparse 0.0', ['--format=pax', '-S', '--sparse-version=0.0']],
  ['pax, sparse 0.1', ['--format=pax', '-S', '--sparse-version=0.1']],
  ['pax, sparse 1.0', ['--format=pax', '-S', '--sparse-version=1.0']],
  ['gnu, sparse, in large records', ['--format=gnu', '-S', '--blocking-factor=2000']],
])('by GNU tar: %s', (name, options) => {
  test('every file comes out as it was, with holes', async () => {
    const path = await tar(`${name}.tar`, options);
    const { outDir, names } = await unpack(createReadStream(path));
    expect(names).toEqual(ALL);
    await runProgram('diff', ['-r', boxDir, outDir]);
    expect(await kibOnDisk(join(outDir, 'box.img'))).toBeLessThan(2 * 60 * 64);
  });
});

test('by GNU tar: ustar and v7, whose names are short', async () => {
  for (const format of ['ustar', 'v7']) {
    const path = await tar(`${format}.tar`, [`--format=${format}`], ['./metadata.json', './box.img']);
    const { outDir, names } = await unpack(createReadStream(path));
    expect(names).toEqual(['box.img', 'metadata.json']);
    await runProgram('cmp', [join(boxDir, 'box.img'), join(outDir, 'box.img')]);
  }
});

test.each([['gnu'], ['pax']])('a sparse file of more than 8 GiB: %s', async (format) => {
  await writeHoley(join(dir, 'huge'), [0, 10 * 2 ** 30, 20 * 2 ** 30 - 4 * KIB], HUGE_BYTES);
  const path = await tar(`huge-${format}.tar`, [`--format=${format}`, '-S', '-C', dir], ['huge']);
  const { outDir } = await unpack(createReadStream(path));
  const huge = join(outDir, 'huge');
  expect((await stat(huge)).size).toBe(HUGE_BYTES);
  expect(await kibOnDisk(huge)).toBeLessThan(2 * 3 * 64);
  const file = await open(huge);
  const { buffer } = await file.read(Buffer.alloc(12), 0, 12, 10 * 2 ** 30).finally(() => file.close());
  expect(buffer.toString()).toBe('10737418240 ');
});

test('a compressed one, read from its stream', async () => {
  const path = await tar('box.tar.gz', ['-S', '-z']);
  const { outDir, names } = await unpack(decompress(createReadStream(path), 'gzip', { shownAs: 'the.box', signal }));
  expect(names).toEqual(ALL);
  await runProgram('diff', ['-r', boxDir, outDir]);
});

test('a link is refused', async () => {
  await symlink('/etc/passwd', join(dir, 'link'));
  const path = await tar('link.tar', ['-C', dir], ['link']);
  await expect(unpack(createReadStream(path))).rejects.toThrow('the.box: the member link is a symbolic link');
});

test('a member outside is refused', async () => {
  const path = await tar('outside.tar', ['-P', '-C', join(boxDir, dirname(LONG_NAME))], ['../metadata.json']);
  await expect(unpack(createReadStream(path))).rejects.toThrow(
    'the.box: the member ../metadata.json would be written outside',
  );
});

test('wherever it is cut, it is truncated', async () => {
  const whole = await readFile(await tar('whole.tar', ['-S', '--format=pax'], ['metadata.json', 'box.img']));
  const { length } = whole;
  for (const cut of [1, 600, 1500, 3000, 100_000, length - 10_240]) {
    async function* source() {
      yield whole.subarray(0, cut);
    }
    await expect(unpack(source())).rejects.toThrow('the.box is truncated');
  }
});

test.skipIf(process.getuid?.() !== 0)('a disk that gets full is named', async () => {
  await using disk = await mountTmpfs('1m');
  async function* chunks() {
    yield { offset: 0, bytes: Buffer.alloc(2 ** 22, 'x') };
  }
  const path = join(disk.dir, 'disk');
  await expect(writeSparse(path, chunks(), { sizeBytes: 2 ** 22, signal })).rejects.toThrow(
    `cannot write ${path}: the disk is full`,
  );
  await expect(stat(path)).rejects.toThrow('ENOENT');
});
