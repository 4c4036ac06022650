import { join } from 'node:path';
import { exited, pollSsh, powerDown, startQemu } from './by-hand.ts';
import type { Lab } from './lab.ts';
import { mustRun } from './measure.ts';

/** The argv that `up` starts a stopped machine with, and what somebody needs to do the same by hand. */
export interface ByHand {
  /** What has to run before: the switches of its networks. */
  readonly before: readonly (readonly string[])[];
  readonly argv: readonly string[];
  readonly monitorPath: string;
  readonly runtimeDir: string;
  /** Without the shared connection: each poll is a login. */
  readonly sshArgs: readonly string[];
}

/** Of a machine that is stopped, or whose network's switch runs. */
export async function byHand(lab: Lab, machine: string): Promise<ByHand> {
  const plans = JSON.parse(await lab.vm('up', '--dry-run', '--json', machine)) as {
    commands: { file: string; args: string[] }[];
  }[];
  const commands = plans[0]?.commands.map(({ file, args }) => [file, ...args]) ?? [];
  const argv = commands.pop();
  if (argv === undefined) throw new Error(`${machine} has no command`);
  const monitorPath = /-qmp unix:([^,]*)/.exec(argv.join(' '))?.[1] ?? '';
  const runtimeDir = monitorPath.replace(/\/[^/]*$/, '');
  const sshArgs = ['-F', join(runtimeDir, 'ssh.config'), '-o', 'ControlPath=none', '-o', 'ConnectTimeout=1', machine];
  return { before: commands, argv, monitorPath, runtimeDir, sshArgs };
}

/**
 * Starts machines by hand, as many at a time as told, and gives the milliseconds until each has run a command. They run
 * during `work`, which does not count, and are stopped then; switches stay, until `vm halt` ends them.
 */
export async function timeByHand(
  machines: readonly ByHand[],
  { parallel = machines.length, work = async () => {} }: { parallel?: number; work?: () => Promise<void> } = {},
): Promise<number> {
  const switches = new Map(machines.flatMap(({ before }) => before).map((command) => [command.join(' '), command]));
  const started = performance.now();
  for (const [file = '', ...args] of switches.values()) await mustRun(file, args);
  const guests: { machine: ByHand; qemu: ReturnType<typeof startQemu> }[] = [];
  const waiting = [...machines];
  const startOneByOne = async () => {
    for (let machine = waiting.shift(); machine !== undefined; machine = waiting.shift()) {
      guests.push({ machine, qemu: startQemu(machine.argv) });
      await pollSsh(machine.sshArgs);
    }
  };
  await Promise.all(Array.from({ length: parallel }, startOneByOne));
  const elapsed = performance.now() - started;
  await work();
  await Promise.all(
    guests.map(async ({ machine, qemu }) => {
      // The guest's process is ours here: it stays in /proc until its end is known.
      await Promise.all([powerDown(machine.monitorPath, qemu.pid ?? 0), exited(qemu)]);
    }),
  );
  return elapsed;
}
