import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { VmError } from '../errors.ts';

/** Where vm keeps what belongs to the user, not to one project. */
export interface HostDirs {
  /** Boxes, caches, the index of machines: VM_HOME, else $XDG_DATA_HOME/vm, else ~/.local/share/vm. */
  readonly homeDir: string;
  /** Sockets live below it; short, and private to this user. */
  readonly runtimeDir: string;
}

export interface DirsInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly userHomeDir: string;
  readonly tempDir: string;
  readonly uid: number;
}

/**
 * A unix socket's path has room for 107 bytes (unix(7)). OpenSSH binds its control socket under a name 17 characters
 * longer first, and our own names below the runtime folder take up to 24.
 */
const RUNTIME_DIR_MAX_BYTES = 107 - 17 - 24;

/** Only these reach OpenSSH and rsync option strings unquoted. */
const PLAIN_PATH = /^[A-Za-z0-9/._+-]+$/;

/** Decides the folders; creates nothing. */
export function resolveDirs({ env, userHomeDir, tempDir, uid }: DirsInput): HostDirs {
  const dataDir = env.XDG_DATA_HOME || join(userHomeDir, '.local', 'share');
  const candidates = [
    ...(env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, 'vm')] : []),
    join(tempDir, `vm-${uid}`),
    `/tmp/vm-${uid}`,
  ];
  const runtimeDir = candidates.find(isUsableRuntimeDir) ?? `/tmp/vm-${uid}`;
  return { homeDir: env.VM_HOME || join(dataDir, 'vm'), runtimeDir };
}

function isUsableRuntimeDir(path: string): boolean {
  return Buffer.byteLength(path) <= RUNTIME_DIR_MAX_BYTES && PLAIN_PATH.test(path);
}

/**
 * Creates the runtime folder, 0700.
 * @throws VmError if somebody else's folder or a link already has its name: in a shared temp folder that is an attack.
 */
export function ensureRuntimeDir(path: string, uid: number): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stat = lstatSync(path);
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o077) !== 0) {
    throw new VmError(`${path} is not a private folder of yours, so no socket can be put there`, {
      hint: `remove it, or set XDG_RUNTIME_DIR to a folder only you can open`,
    });
  }
}
