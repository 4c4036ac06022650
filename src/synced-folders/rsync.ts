import { stat } from 'node:fs/promises';
import { rsyncTransport } from '../communicators/openssh.ts';
import type { RunContext } from '../context.ts';
import { CommandError, MissingToolError, VmError } from '../errors.ts';
import { run } from '../host/exec.ts';
import { unlessMissing } from '../host/files.ts';
import type { SyncSpec } from '../machinefile/spec.ts';
import { type HostPathKind, rsyncCommand } from './rsync-args.ts';
import { explainRsyncFailure, isHarmless } from './rsync-failures.ts';
import type { SyncedFolder, SyncOutcome, SyncTarget } from './synced-folder.ts';

/** Between two reports of progress: more would only be work. */
const REPORT_EVERY_MS = 200;

/** One-way copies from the host over the machine's shared SSH connection. */
export const rsyncFolder: SyncedFolder<SyncSpec> = {
  async sync(spec, target, context) {
    const command = rsyncCommand(
      { spec, hostPathKind: await hostPathKind(spec.hostPath), user: target.user },
      { transport: rsyncTransport(target.sshConfigPath), alias: target.sshAlias },
    );
    const counting = countChanges((text) => report(text, { spec, target, context }));
    try {
      await run(command, { signal: context.signal, onLine: counting.onLine });
    } catch (error) {
      if (error instanceof MissingToolError) throw new MissingToolError('rsync', { hint: 'sudo apt install rsync' });
      if (!(error instanceof CommandError)) throw error;
      if (!isHarmless(error)) throw explainRsyncFailure(error, { machine: target.machine, hostPath: spec.hostPath });
    }
    return counting.outcome();
  },
};

async function hostPathKind(path: string): Promise<HostPathKind> {
  const stats = await unlessMissing(stat(path));
  if (stats === undefined) throw new VmError(`cannot sync ${path}: it does not exist`);
  return stats.isDirectory() ? 'folder' : 'file';
}

function report(
  text: string,
  { spec, target, context }: { spec: SyncSpec; target: SyncTarget; context: RunContext },
): void {
  context.reporter.report({ type: 'progress', subject: target.machine, text: `${spec.guestPath}: ${text}` });
}

/** Reads rsync's itemised changes (rsync(1), --itemize-changes): `<f…` is a file sent. */
function countChanges(onProgress: (text: string) => void): {
  onLine: (line: string) => void;
  outcome: () => SyncOutcome;
} {
  let filesSent = 0;
  let filesDeleted = 0;
  let reportedAtMs = performance.now();
  return {
    onLine(line) {
      if (line.startsWith('<f')) filesSent++;
      else if (line.startsWith('*deleting')) filesDeleted++;
      else return;
      const nowMs = performance.now();
      if (nowMs - reportedAtMs < REPORT_EVERY_MS) return;
      reportedAtMs = nowMs;
      onProgress(`${filesSent} files sent`);
    },
    outcome: () => ({ filesSent, filesDeleted }),
  };
}
