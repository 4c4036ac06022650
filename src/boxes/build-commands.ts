import { join } from 'node:path';
import type { HostCommand } from '../host/exec.ts';
import { DISK_FILE } from './box-file.ts';
import type { Recipe } from './recipe.ts';

/** Where a box is built: all of it inside the folder that becomes the box, so that nothing is left elsewhere. */
export interface BuildPaths {
  /** Everything but the finished files; removed at the end. */
  readonly workDir: string;
  /** The guest's tree of files. */
  readonly rootDir: string;
  /** What the recipe brings for it. */
  readonly filesDir: string;
  /** TMPDIR of the programs that build. */
  readonly tempDir: string;
  /** The filesystem, before it becomes a qcow2. */
  readonly rawPath: string;
  readonly diskPath: string;
  /** The box: disk, kernel and initrd. */
  readonly outDir: string;
}

export function buildPaths(outDir: string): BuildPaths {
  const workDir = join(outDir, 'build');
  return {
    workDir,
    rootDir: join(workDir, 'root'),
    filesDir: join(workDir, 'files'),
    tempDir: join(workDir, 'tmp'),
    rawPath: join(workDir, 'disk.raw'),
    diskPath: join(outDir, DISK_FILE),
    outDir,
  };
}

/** The programs the commands below start, directly or not, each with the Debian package it is in. */
export const BUILD_TOOLS: Readonly<Record<string, string>> = {
  mmdebstrap: 'mmdebstrap',
  'mkfs.ext4': 'e2fsprogs',
  'qemu-img': 'qemu-utils',
  setpriv: 'util-linux',
  unshare: 'util-linux',
  xz: 'xz-utils',
  zstd: 'zstd',
};

/** Makes the tree out of Debian's packages. */
export function installPackages({ variant, suite, packages, sources }: Recipe, { rootDir }: BuildPaths): HostCommand {
  const include = Object.keys(packages).join(',');
  return {
    file: 'mmdebstrap',
    args: [
      '--mode=root',
      '--format=directory',
      '--verbose',
      `--variant=${variant}`,
      `--include=${include}`,
      suite,
      rootDir,
      ...sources,
    ],
  };
}

/** Runs the recipe's customise script on the tree; writes kernel and initrd beside the disk. */
export function assemble({ dir, recipesDir, initramfs_modules }: Recipe, paths: BuildPaths): HostCommand {
  const script = join(recipesDir, 'build', 'assemble');
  return { file: script, args: [paths.rootDir, paths.filesDir, dir, paths.outDir, ...initramfs_modules] };
}

/**
 * Makes a filesystem of the tree, without a partition table: kernel and initrd are not read from the disk. Its tables
 * are initialised here, where zeros cost nothing, not by the guest in the background of its first boots.
 */
export function makeFilesystem({ disk }: Recipe, { rootDir, rawPath }: BuildPaths): HostCommand {
  return {
    file: 'mkfs.ext4',
    args: [
      '-q',
      '-L',
      'root',
      '-m',
      '1',
      '-E',
      'lazy_itable_init=0,lazy_journal_init=0',
      '-d',
      rootDir,
      rawPath,
      `${disk / 1024}k`,
    ],
  };
}

export function makeImage({ rawPath, diskPath }: BuildPaths): HostCommand {
  return { file: 'qemu-img', args: ['convert', '-f', 'raw', '-O', 'qcow2', rawPath, diskPath] };
}

/** Removes what belongs to subordinate users, too. */
export function removeFolder(path: string): HostCommand {
  return { file: 'rm', args: ['-rf', '--one-file-system', path] };
}

/** The environment of all of them. */
export function buildEnvironment(path: string, { tempDir }: BuildPaths): Readonly<Record<string, string>> {
  return {
    PATH: path,
    TMPDIR: tempDir,
    LC_ALL: 'C.UTF-8',
    // Debian's kernel package then makes no initramfs (/etc/kernel/postinst.d/initramfs-tools): a box has its own.
    INITRD: 'No',
  };
}
