import { posix } from 'node:path';
import { quoteForShell } from '../communicators/quoting.ts';
import type { HostCommand } from '../host/exec.ts';
import type { SyncSpec } from '../machinefile/spec.ts';

export type HostPathKind = 'file' | 'folder';

export interface RsyncSource {
  readonly spec: SyncSpec;
  readonly hostPathKind: HostPathKind;
  /** The login user. */
  readonly user: string;
}

export interface RsyncDestination {
  /** For rsync's `-e`. */
  readonly transport: string;
  readonly alias: string;
}

/**
 * The rsync that makes `guestPath` like `hostPath`: of a folder, its content; of a file, a file of that name, or a file
 * in that folder where the name ends in a slash.
 */
export function rsyncCommand({ spec, hostPathKind, user }: RsyncSource, to: RsyncDestination): HostCommand {
  const isFolder = hostPathKind === 'folder';
  const owner = spec.owner ?? user;
  return {
    file: 'rsync',
    args: [
      '--archive',
      ...(spec.delete && isFolder ? ['--delete'] : []),
      // The machine's own disk and keys.
      '--exclude=.vm/',
      ...spec.exclude.map((pattern) => `--exclude=${pattern}`),
      `--chown=${owner}:${spec.group ?? owner}`,
      // Paths go by the connection, not by the guest's shell. (rsync has done so unasked only since 3.2.4.)
      '--protect-args',
      '--out-format=%i',
      ...spec.args,
      `--rsync-path=${remoteRsync(spec.guestPath, { isFolder, isRoot: user === 'root' })}`,
      `--rsh=${to.transport}`,
      '--',
      isFolder ? `${spec.hostPath.replace(/\/+$/, '')}/` : spec.hostPath,
      `${to.alias}:${spec.guestPath}`,
    ],
  };
}

/**
 * The guest's part, a shell command line: makes the folder first, without a round trip or, once it is there, a process.
 * (--mkpath would need rsync 3.2.3 in the guest.)
 */
function remoteRsync(guestPath: string, { isFolder, isRoot }: { isFolder: boolean; isRoot: boolean }): string {
  const sudo = isRoot ? '' : 'sudo -n ';
  const folder = quoteForShell(isFolder || guestPath.endsWith('/') ? guestPath : posix.dirname(guestPath));
  return `[ -d ${folder} ] || ${sudo}mkdir -p ${folder}; ${sudo}rsync`;
}
