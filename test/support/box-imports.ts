import { execFile } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { TestProject } from './test-project.ts';
import { tools } from './tools.ts';

const runProgram = promisify(execFile);

const DISK_BYTES = 2 * 2 ** 20;
const DATA_BYTES = 256 * 1024;

/** A disk of 2 MiB: a boot sector, data that cannot be compressed at both ends, and a hole. */
export function diskBytes(seed = 0): Buffer {
  const data = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(DATA_BYTES));
  data.write('\x55\xaa', 510, 'latin1');
  return Buffer.concat([data, Buffer.alloc(DISK_BYTES - 2 * DATA_BYTES), data]);
}

/** What `vm box add --json` prints at its end. */
export interface AddedBox {
  readonly name: string;
  readonly version: string;
  readonly key: string;
}

/** A project with an empty store, whose folder holds files to import: `disk.raw` and what is made of it. */
export async function openImports(env: Readonly<Record<string, string>> = {}) {
  const project = await TestProject.create({ files: {}, env, tools: [tools.qemuImg, ...tools.decompressors] });
  const homeDir = String(project.env.VM_HOME);
  const at = (name: string) => join(project.dir, name);
  const run = (file: string, ...args: string[]) => runProgram(file, args, { cwd: project.dir });
  await writeFile(at('disk.raw'), diskBytes());

  /** What `vm box add` tells meanwhile, and the box. */
  async function addTelling(...args: string[]): Promise<{ events: readonly { type: string }[]; box: AddedBox }> {
    const lines = (await project.ok('box', 'add', '--json', ...args)).trimEnd().split('\n');
    const [{ type, ...box }, ...events] = lines.map((line) => JSON.parse(line)).reverse();
    expect(type).toBe('result');
    return { events: events.reverse(), box };
  }

  return {
    project,
    homeDir,
    at,
    run,
    addTelling,

    add: async (...args: string[]): Promise<AddedBox> => (await addTelling(...args)).box,

    diskOf: ({ key }: AddedBox) => join(homeDir, 'boxes', key, 'disk.qcow2'),

    async list(): Promise<Record<string, unknown>[]> {
      return JSON.parse(await project.ok('box', 'list', '--json'));
    },

    /** What is in the store and among the downloads, also what is no box. */
    async kept(): Promise<string[]> {
      const dirs = ['boxes', 'downloads'].map((name) => join(homeDir, name)).filter((dir) => existsSync(dir));
      return (await Promise.all(dirs.map((dir) => readdir(dir)))).flat();
    },

    convert: (dest: string, format: string, ...options: string[]) =>
      run(tools.qemuImg, 'convert', '-f', 'raw', '-O', format, ...options, 'disk.raw', dest),

    /** Packs texts, and the disk under each of the names, as the tools of vagrant-libvirt do. */
    async makeBox(dest: string, texts: Readonly<Record<string, string>>, disks = ['box.img']): Promise<void> {
      const dir = at(`${dest}.files`);
      await mkdir(dir);
      for (const [name, text] of Object.entries(texts)) await writeFile(join(dir, name), text);
      for (const name of disks) {
        await run(tools.qemuImg, 'convert', '-f', 'raw', '-O', 'qcow2', 'disk.raw', join(dir, name));
      }
      const members = [...Object.keys(texts), ...disks].map((name) => `./${name}`);
      await run('tar', '-S', '-czf', dest, '-C', dir, ...members);
      await rm(dir, { recursive: true });
    },

    [Symbol.asyncDispose]: () => project[Symbol.asyncDispose](),
  };
}

export type Imports = Awaited<ReturnType<typeof openImports>>;

/** `metadata.json` of a box in the first format of vagrant-libvirt. */
export const BOX_METADATA = '{ "provider": "libvirt", "format": "qcow2", "virtual_size": 1 }';

/** `metadata.json` of a box in the second format, with these disks. */
export function metadataOf(...paths: string[]): string {
  return JSON.stringify({ provider: 'libvirt', format: 'qcow2', disks: paths.map((path) => ({ path })) });
}
