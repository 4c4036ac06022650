import { VmError } from '../errors.ts';
import { findTool, type HostCommand, run } from '../host/exec.ts';

/**
 * With whose rights a box is built. Files of a box belong to root, so it takes root, or a user namespace in which this
 * user is root and the subordinate ids of /etc/subuid are the other users. `plain` is root where namespaces are
 * forbidden, as in many containers.
 */
export type BuildMode = 'root' | 'rootless' | 'plain';

/** Debian keeps what administrators use out of other users' PATH. */
export const BUILD_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child'];

/** Each mode's way to start a program. */
const PREFIXES: Readonly<Record<BuildMode, readonly string[]>> = {
  root: ['unshare', ...NAMESPACES, '--'],
  rootless: ['unshare', '--user', '--map-root-user', '--map-auto', ...NAMESPACES, '--'],
  plain: [],
};

/**
 * A command that dies with this process, even when that is killed: pdeathsig ends `unshare`, --kill-child the first
 * process of the namespace, and the kernel all others with it. Mounts vanish with their namespace.
 */
export function confined(mode: BuildMode, { file, args }: HostCommand): HostCommand {
  return { file: 'setpriv', args: ['--pdeathsig', 'KILL', '--', ...PREFIXES[mode], file, ...args] };
}

/** @throws VmError where this user can build no box. */
export async function chooseBuildMode(signal: AbortSignal): Promise<BuildMode> {
  if (await works('root', signal)) return 'root';
  if (await works('rootless', signal)) return 'rootless';
  if (process.getuid?.() === 0) return 'plain';
  throw new VmError('this user cannot build boxes: user namespaces, or subordinate ids for them, are missing', {
    hint: 'vm doctor says how to get them; or build as root',
  });
}

/** Whether boxes can be built in a user namespace. */
export function canBuildRootless(): Promise<boolean> {
  return works('rootless');
}

async function works(mode: BuildMode, signal?: AbortSignal): Promise<boolean> {
  if (mode === 'rootless' && findTool('newuidmap', BUILD_PATH) === undefined) return false;
  try {
    await run(confined(mode, { file: 'true', args: [] }), { ...(signal && { signal }) });
    return true;
  } catch (error) {
    if (signal?.aborted || !(error instanceof VmError)) throw error;
    return false;
  }
}
