import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { installerIso } from '../support/boot-iso.ts';
import { BOX_METADATA, type Imports, metadataOf, openImports } from '../support/box-imports.ts';
import { digest, SOON } from '../support/downloads.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { tools } from '../support/tools.ts';

const isRoot = process.getuid?.() === 0;
const GET_AGAIN = 'get it again, and compare its checksum';

let imports: Imports;

beforeAll(async () => {
  imports = await openImports();
});

afterEach(async () => {
  expect(await imports.kept()).toEqual([]);
});

afterAll(() => imports[Symbol.asyncDispose]());

const ISO = installerIso({ installed: '', system: '' });

/** Adding the file fails; gives what is told, with paths below the project's folder. */
async function refusal(name: string, ...options: string[]): Promise<string> {
  const stderr = await imports.project.fails(1, 'box', 'add', '-q', name, ...options);
  return stderr.replaceAll(`${imports.project.dir}/`, '');
}

describe('what is no box', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['notes.txt', 'plain text\n'.repeat(10_000), 'notes.txt is not a disk image\n→ known are qcow2, raw, vmdk, '],
    ['empty.img', '', 'empty.img is not a disk image\n→ known are '],
    ['install.iso', ISO, 'install.iso is an installation image, not a disk\n→ give it as “cdrom:”'],
    ['notes.txt.gz', gzipSync('plain text'), 'notes.txt.gz is not a disk image\n→ '],
    ['other.json', '{ "a": 1 }', 'other.json: versions is missing\n→ ask its publisher to correct the catalog'],
  ])('%s', async (name, content, says) => {
    await writeFile(imports.at(name), content);
    expect(await refusal(name)).toContain(`vm: ${says}`);
  });

  test('a file that is not there', async () => {
    expect(await imports.project.fails(2, 'box', 'add', 'missing.qcow2')).toBe(
      'vm: there is no file missing.qcow2\n→ give a path, or an http:// or https:// URL\n',
    );
  });

  test('a folder', async () => {
    await mkdir(imports.at('folder'));
    expect(await refusal('folder')).toBe('vm: folder is a folder\n→ give the disk image, or the box, that is in it\n');
  });

  test('an image, of which a version is wanted', async () => {
    expect(await refusal('disk.raw', '--version', '1.2')).toBe(
      'vm: disk.raw is not a Vagrant catalog: there is no version “1.2” to choose in it\n→ remove the version; a checksum makes sure which file it is\n',
    );
    expect(await refusal('disk.raw', '--version', '~> 1', '--name', 'x')).toContain('no version “~> 1” to choose');
  });

  test('a file that is not what its checksum says', async () => {
    const [wrong, right] = ['0'.repeat(64), digest('sha256', await readFile(imports.at('disk.raw')))];
    expect(await refusal('disk.raw', '--checksum', `sha256:${wrong}`)).toBe(
      `vm: disk.raw is not what its checksum says:\n  expected sha256:${wrong}\n  it has   sha256:${right}\n→ correct the checksum if you trust the file\n`,
    );
  });
});

describe('a Vagrant box', () => {
  test('that is truncated', async () => {
    await imports.makeBox('cut.box', { 'metadata.json': BOX_METADATA });
    await truncate(imports.at('cut.box'), 100_000);
    expect(await refusal('cut.box')).toBe(`vm: cut.box is truncated or damaged\n→ ${GET_AGAIN}\n`);
  });

  test('with more disks than a box can have', async () => {
    const names = Array.from({ length: 17 }, (_, i) => `${i}.img`);
    await imports.makeBox('many.box', { 'metadata.json': metadataOf(...names) }, ['0.img']);
    expect(await refusal('many.box')).toBe(
      'vm: many.box has 17 disks, and a box can have 16\n→ extract it and pack it again with fewer\n',
    );
  });

  test('whose disks are the same file', async () => {
    const disks = [{ path: 'a.img' }, { path: './a.img', name: 'data' }];
    await imports.makeBox('twice.box', { 'metadata.json': JSON.stringify({ provider: 'libvirt', disks }) }, ['a.img']);
    expect(await refusal('twice.box')).toBe(
      'vm: twice.box cannot be used: metadata.json names a.img for several disks\n→ extract it and pack it again with a copy for each\n',
    );
  });

  test.each([
    ['a newer one', { 'metadata.json': '{ "provider": "virtualbox" }', 'box.ovf': '<Envelope/>' }],
    ['one of the first', { 'box.ovf': '<Envelope/>' }],
  ])('for VirtualBox, %s', async (what, texts) => {
    await imports.makeBox(`${what}.box`, texts, ['box-disk1.vmdk']);
    expect(await refusal(`${what}.box`)).toBe(
      `vm: ${what}.box is a box for virtualbox, which is not supported\n→ extract the .box for virtualbox (tar -xf) and give the disk in it as the box, such as \`box: ./disk.vmdk\`\n`,
    );
  });

  test('without its disk', async () => {
    await imports.makeBox('hollow.box', { 'metadata.json': BOX_METADATA }, []);
    expect(await refusal('hollow.box')).toBe(
      `vm: hollow.box is not whole: metadata.json names box.img, which is not in it\n→ ${GET_AGAIN}\n`,
    );
  });
});

describe('an OVA', () => {
  test.each([
    ['no disk', '<Envelope/>', 'app.ovf in none.ova names no disk'],
    [
      'a disk that is not there, in a way that would steer the terminal',
      '<File ovf:id="f" ovf:href="\u001b[2Jx.vmdk"/><Disk ovf:fileRef="f"/>',
      'none.ova is not whole: app.ovf names \ufffd[2Jx.vmdk, which is not in it',
    ],
    [
      'a machine and another',
      '<VirtualSystem ovf:id="a"/><VirtualSystem ovf:id="b"/><File ovf:id="f" ovf:href="disk.raw"/><Disk ovf:fileRef="f"/>',
      'app.ovf in none.ova describes 2 machines, and a box is of one',
    ],
  ])('that names %s', async (_what, ovf, says) => {
    await writeFile(imports.at('app.ovf'), ovf);
    await imports.run('tar', '-cf', 'none.ova', 'app.ovf', 'disk.raw');
    expect(await refusal('none.ova')).toContain(`vm: ${says}\n`);
  });
});

describe('a hostile archive writes nothing outside, nor links to it', () => {
  const HINT = '→ vm unpacks no such archive: get one you trust';

  test.each([
    ['a name that leads out', '../../out.img', 'the member ../../out.img would be written outside'],
    ['an absolute name', '/tmp/vm-out.img', 'the member /tmp/vm-out.img would be written outside'],
  ])('%s', async (what, name, says) => {
    const { run, homeDir } = imports;
    await run('tar', '-cPzf', `${what}.box`, `--transform=s,^disk.raw$,${name},`, 'disk.raw');
    expect(await refusal(`${what}.box`)).toContain(`vm: ${what}.box: ${says}\n${HINT}`);
    expect(existsSync('/tmp/vm-out.img')).toBe(false);
    expect(await readdir(homeDir)).not.toContain('out.img');
  });

  test.each([
    ['symbolic', ['-s', '/etc/passwd']],
    ['hard', ['hard/metadata.json']],
  ])('a %s link in place of the disk', async (kind, linked) => {
    const { at, run } = imports;
    await mkdir(at(kind));
    await writeFile(at(`${kind}/metadata.json`), BOX_METADATA);
    await run('ln', ...linked, `${kind}/box.img`);
    await run('tar', '-czf', 'link.box', '-C', kind, 'metadata.json', 'box.img');
    expect(await refusal('link.box')).toContain(`vm: link.box: the member box.img is a ${kind} link\n${HINT}`);
  });

  test.each([
    ['an image', 'root.img', ['root.img']],
    ['a further disk', 'data.img', ['root.img', 'data.img']],
  ])('%s in it that refers to a file of the host', async (_what, hostile, names) => {
    const { at, run } = imports;
    await run(tools.qemuImg, 'convert', '-f', 'raw', '-O', 'qcow2', 'disk.raw', 'root.img');
    await run(tools.qemuImg, 'create', '-q', '-f', 'qcow2', '-b', '/etc/passwd', '-F', 'raw', hostile, '1M');
    await writeFile(at('metadata.json'), metadataOf(...names));
    await run('tar', '-czf', 'backed.box', 'metadata.json', ...names);
    expect(await refusal('backed.box')).toContain(
      `vm: ${hostile} in backed.box cannot be used as a box: it stands on another file, /etc/passwd\n`,
    );
  });
});

describe('what is cut short leaves nothing', () => {
  /** Gigabytes of zeros, in a file of kilobytes: several compressed files one after another are one. */
  async function startLarge() {
    const { at, project, homeDir } = imports;
    const zeros = gzipSync(Buffer.alloc(64 * 2 ** 20), { level: 1 });
    await writeFile(at('large.raw.gz'), Buffer.concat(Array.from({ length: 200 }, () => zeros)));
    const running = project.start('box', 'add', 'large.raw.gz');
    const boxesDir = join(homeDir, 'boxes');
    const staged = async () => {
      const [name] = existsSync(boxesDir) ? await readdir(boxesDir) : [];
      return name !== undefined && existsSync(join(boxesDir, name, 'unpacked', 'image'));
    };
    await expect.poll(staged, SOON).toBe(true);
    return running;
  }

  test('after kill -9, as soon as another command runs', async () => {
    const { child, ended } = await startLarge();
    child.kill('SIGKILL');
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    expect(await imports.kept()).toHaveLength(1);
    expect(await imports.list()).toEqual([]);
  });

  test.runIf(isRoot)('on a full disk', async () => {
    const { project } = imports;
    await using full = await mountTmpfs('1m');
    const env = { ...project.env, VM_HOME: full.dir };
    const { exitCode, stderr } = await project.vmWith(env, 'box', 'add', '-q', 'disk.raw');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^vm: cannot write .*: the disk is full\n→ free some space and run the command again\n$/,
      ),
    });
    expect(await readdir(join(full.dir, 'boxes'))).toEqual([]);
  });

  test('at once after Ctrl-C', async () => {
    const { child, ended } = await startLarge();
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ exitCode: 130, stderr: expect.stringMatching(/\nvm: interrupted\n$/) });
  });
});
