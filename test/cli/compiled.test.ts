import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rootDir, vmPath } from '../support/paths.ts';

let packageDir: string;

beforeEach(async () => {
  packageDir = await mkdtemp(join(tmpdir(), 'vm-package-'));
  await mkdir(join(packageDir, 'dist'));
  await copyFile(join(rootDir, 'package.json'), join(packageDir, 'package.json'));
  await copyFile(vmPath, join(packageDir, 'dist/main.cjs'));
});

afterEach(() => rm(packageDir, { recursive: true }));

async function versionOf(...flags: readonly string[]): Promise<string> {
  const main = join(packageDir, 'dist/main.cjs');
  return (await promisify(execFile)(process.execPath, [...flags, main, '--version'])).stdout;
}

async function addModules(): Promise<void> {
  for (const name of ['cli.js', 'chunks']) {
    await cp(join(rootDir, 'dist', name), join(packageDir, 'dist', name), { recursive: true });
  }
}

const addCompiled = () => cp(join(rootDir, 'dist/compiled'), join(packageDir, 'dist/compiled'), { recursive: true });

test('the bytecode is taken before the modules', async () => {
  await addCompiled();
  expect(await versionOf()).toMatch(/^vm \d/);
});

test('without bytecode, as with another Node.js, there are the modules', async () => {
  await addModules();
  expect(await versionOf()).toMatch(/^vm \d/);
});

test('so there are for a V8 with other flags', async () => {
  await addCompiled();
  await expect(versionOf('--max-lazy')).rejects.toThrow('ERR_MODULE_NOT_FOUND');
  await addModules();
  expect(await versionOf('--max-lazy')).toMatch(/^vm \d/);
});

test('and where V8 refuses the bytecode', async () => {
  await addCompiled();
  await addModules();
  const dir = join(packageDir, 'dist/compiled');
  for (const name of await readdir(dir)) if (name.endsWith('.v8')) await writeFile(join(dir, name), 'cut off');
  expect(await versionOf()).toMatch(/^vm \d/);
});
