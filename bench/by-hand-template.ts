import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { exited, pollSsh, startQemu } from './by-hand.ts';
import { byHand } from './by-hand-machine.ts';
import type { Lab } from './lab.ts';
import { mustRun } from './measure.ts';
import { withMonitor } from './monitor.ts';

/**
 * What somebody would do without vm to start a machine that has booted already: its RAM in a file, of which each copy gets
 * its pages when it writes to them, and an overlay on its disk. The copies have one identity.
 */
export interface HandTemplate {
  readonly argv: readonly string[];
  readonly sshArgs: readonly string[];
  readonly runtimeDir: string;
  readonly diskPath: string;
  readonly statePath: string;
  readonly dir: string;
}

/** Boots a machine that is stopped, keeps its memory, and ends it. It must not be started again. */
export async function makeHandTemplate(lab: Lab, machine: string): Promise<HandTemplate> {
  const { argv, monitorPath, runtimeDir, sshArgs } = await byHand(lab, machine);
  const diskPath = /"filename":"([^"]*)"/.exec(argv.join(' '))?.[1] ?? '';
  const statePath = join(lab.dir, 'hand.state');
  const ramPath = join(lab.dir, 'hand.ram');
  const template = argvWithRam(argv, `mem-path=${ramPath},share=on`);
  const qemu = startQemu(template);
  await pollSsh(sshArgs);
  await withMonitor(monitorPath, async (execute) => {
    await execute('migrate-set-capabilities', { capabilities: [{ capability: 'x-ignore-shared', state: true }] });
    await execute('migrate', { uri: `exec:cat > ${statePath}` });
    while ((await execute('query-migrate')).status !== 'completed') await new Promise(setImmediate);
    await execute('quit');
  });
  await exited(qemu);
  const copied = argvWithRam(argv, `mem-path=${ramPath},share=off`);
  return { argv: [...copied, '-incoming', 'defer'], sshArgs, runtimeDir, diskPath, statePath, dir: lab.dir };
}

/** A sandbox that forbids programs would forbid `cat`, too. */
function argvWithRam(argv: readonly string[], backend: string): string[] {
  const size = /size=(\w+)/.exec(argv.join(' '))?.[1];
  const sandbox = argv.indexOf('-sandbox');
  const rest = argv.filter((_argument, index) => index !== sandbox && index !== sandbox + 1);
  const withBackend = rest.map((argument) =>
    argument.startsWith('q35') ? `${argument},memory-backend=ram` : argument,
  );
  return [...withBackend, '-object', `memory-backend-file,id=ram,size=${size},${backend}`];
}

export interface HandCopy extends AsyncDisposable {
  readonly pid: number;
}

/** Starts a copy, and gives it once it has run a command. Disposing it ends it. */
export async function startHandCopy(template: HandTemplate): Promise<HandCopy> {
  const port = await freePort();
  const copyDir = join(template.dir, `copy-${port}`);
  await mustRun('mkdir', [copyDir]);
  const diskPath = join(copyDir, 'disk.qcow2');
  await mustRun('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', template.diskPath, '-F', 'qcow2', diskPath]);
  const machineDir = template.diskPath.replace(/\/[^/]*$/, '');
  const argv = template.argv.map((argument) =>
    argument
      .replaceAll(template.diskPath, diskPath)
      .replaceAll(template.runtimeDir, copyDir)
      .replaceAll(`${machineDir}/qemu.pid`, join(copyDir, 'qemu.pid'))
      .replaceAll(`${machineDir}/serial.log`, join(copyDir, 'serial.log'))
      .replace(/:\d+-:22/, `:${port}-:22`),
  );
  const qemu = startQemu(argv);
  const ended = exited(qemu);
  await withMonitor(join(copyDir, 'qmp.sock'), async (execute) => {
    await execute('migrate-set-capabilities', { capabilities: [{ capability: 'x-ignore-shared', state: true }] });
    await execute('migrate-incoming', { uri: `exec:cat ${template.statePath}` });
    while ((await execute('query-status')).status === 'inmigrate') await new Promise(setImmediate);
    await execute('cont');
  });
  await pollSsh(['-o', `Port=${port}`, ...template.sshArgs]);
  return {
    pid: qemu.pid ?? 0,
    async [Symbol.asyncDispose]() {
      qemu.kill('SIGKILL');
      await ended;
      await rm(copyDir, { recursive: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
