import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measureBoxImport, measureDownload, measureImport } from './boxes.ts';
import { exited, pollSsh, powerDown, startQemu } from './by-hand.ts';
import { Lab } from './lab.ts';
import { alternate, type Measurement, mustRun, time } from './measure.ts';
import { processesOf } from './resident.ts';

export interface Benchmark {
  readonly name: string;
  /** The largest good ratio of vm to doing it by hand. */
  readonly target: number;
  measure(): Promise<Measurement>;
}

const DEBIAN = 'machines: { m: { box: debian/12, cpus: 2, memory: 1GiB } }\n';
const TINY = 'machines: { m: { box: tiny, memory: 256MiB, sync: [./data:/srv/data] } }\n';
const THREE_TINY = `defaults: { box: tiny, memory: 256MiB }
machines: { a: {}, b: {}, c: {} }
`;

/** What must not be there at all, in bytes. */
export interface Leftover {
  readonly name: string;
  measure(): Promise<number>;
}

export const leftovers: readonly Leftover[] = [{ name: 'resident', measure: measureResident }];

export const benchmarks: readonly Benchmark[] = [
  { name: 'up', target: 1.08, measure: measureUp },
  { name: 'halt', target: 1.15, measure: measureHalt },
  { name: 'three-up', target: 1.15, measure: measureThreeUp },
  { name: 'status', target: 2.0, measure: () => onRunningTiny(20, vmCommand('status'), nodeStart) },
  { name: 'exec', target: 1.8, measure: () => onRunningTiny(20, vmCommand('exec', 'm', '--', 'true'), sshAndNode) },
  { name: 'sync', target: 1.6, measure: () => onRunningTiny(20, vmCommand('sync'), rsyncAndNode) },
  { name: 'import', target: 1.3, measure: measureImport },
  { name: 'import-box', target: 1.2, measure: measureBoxImport },
  { name: 'download', target: 1.3, measure: measureDownload },
];

/** The argv that `up` starts a stopped machine with, and what somebody needs to do the same by hand. */
interface ByHand {
  readonly argv: readonly string[];
  readonly monitorPath: string;
  readonly runtimeDir: string;
  /** Without the shared connection: each poll is a login. */
  readonly sshArgs: readonly string[];
}

async function byHand(lab: Lab, machine: string): Promise<ByHand> {
  const plans = JSON.parse(await lab.vm('up', '--dry-run', '--json', machine)) as {
    commands: { file: string; args: string[] }[];
  }[];
  const command = plans[0]?.commands.at(-1);
  if (command === undefined) throw new Error(`${machine} has no command`);
  const monitorPath = /-qmp unix:([^,]*)/.exec(command.args.join(' '))?.[1] ?? '';
  const runtimeDir = monitorPath.replace(/\/[^/]*$/, '');
  const sshArgs = ['-F', join(runtimeDir, 'ssh.config'), '-o', 'ControlPath=none', '-o', 'ConnectTimeout=1', machine];
  return { argv: [command.file, ...command.args], monitorPath, runtimeDir, sshArgs };
}

/** From a stopped machine to a command run over SSH. */
async function measureUp(): Promise<Measurement> {
  await using lab = await Lab.create(DEBIAN);
  await lab.vm('up');
  await lab.vm('halt');
  const hand = await byHand(lab, 'm');
  return await alternate(
    5,
    async () => {
      const elapsed = await time(() => lab.vm('up'));
      await lab.vm('halt');
      return elapsed;
    },
    () => startByHand([hand]),
  );
}

/** Starts machines by hand, waits until each has run a command, and stops them again. */
async function startByHand(machines: readonly ByHand[]): Promise<number> {
  const started = performance.now();
  const guests = machines.map((machine) => ({ machine, qemu: startQemu(machine.argv) }));
  await Promise.all(guests.map(({ machine }) => pollSsh(machine.sshArgs)));
  const elapsed = performance.now() - started;
  await Promise.all(
    guests.map(async ({ machine, qemu }) => {
      // The guest's process is ours here: it stays in /proc until its end is known.
      await Promise.all([powerDown(machine.monitorPath, qemu.pid ?? 0), exited(qemu)]);
    }),
  );
  return elapsed;
}

async function measureHalt(): Promise<Measurement> {
  await using lab = await Lab.create(DEBIAN);
  await lab.vm('up');
  const hand = await byHand(lab, 'm');
  return await alternate(
    5,
    async () => {
      await lab.vm('up');
      return time(() => lab.vm('halt'));
    },
    async () => {
      await lab.vm('up');
      const [status] = JSON.parse(await lab.vm('status', '--json')) as { pid: number }[];
      return time(() => powerDown(hand.monitorPath, status?.pid ?? 0));
    },
  );
}

async function measureThreeUp(): Promise<Measurement> {
  await using lab = await Lab.create(THREE_TINY);
  await lab.vm('up');
  await lab.vm('halt');
  const hands = await Promise.all(['a', 'b', 'c'].map((machine) => byHand(lab, machine)));
  return await alternate(
    5,
    async () => {
      const elapsed = await time(() => lab.vm('up'));
      await lab.vm('halt');
      return elapsed;
    },
    () => startByHand(hands),
  );
}

/** Memory of the processes that stay after `up` and `exec`, beside QEMU and the shared SSH connection. */
async function measureResident(): Promise<number> {
  await using lab = await Lab.create(TINY);
  await mkdir(join(lab.dir, 'data'));
  await lab.vm('up');
  await lab.vm('exec', 'm', '--', 'true');
  const others = processesOf(lab.dir).filter(({ name }) => !/^(qemu-system-.*|ssh)$/.test(name));
  return others.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
}

type Work = (lab: Lab, hand: ByHand) => Promise<unknown>;

const FILES = 2_000;
const FILE_BYTES = 4_000;

async function onRunningTiny(runs: number, ours: Work, floor: Work): Promise<Measurement> {
  await using lab = await Lab.create(TINY);
  await mkdir(join(lab.dir, 'data'));
  for (let file = 0; file < FILES; file++) {
    await writeFile(join(lab.dir, 'data', `file-${file}`), String(file).repeat(FILE_BYTES).slice(0, FILE_BYTES));
  }
  await lab.vm('up');
  const hand = await byHand(lab, 'm');
  // The first of each opens the shared connection, fills caches and transfers the files.
  await ours(lab, hand);
  await floor(lab, hand);
  return await alternate(
    runs,
    () => time(() => ours(lab, hand)),
    () => time(() => floor(lab, hand)),
  );
}

function vmCommand(...args: string[]): Work {
  return (lab) => lab.vm(...args);
}

const nodeStart: Work = () => mustRun(process.execPath, ['-e', '0']);

const sshAndNode: Work = async (lab, hand) => {
  await mustRun('ssh', ['-F', join(hand.runtimeDir, 'ssh.config'), 'm', 'true']);
  await nodeStart(lab, hand);
};

const rsyncAndNode: Work = async (lab, hand) => {
  const shell = `ssh -F ${join(hand.runtimeDir, 'ssh.config')}`;
  await mustRun('rsync', ['-a', '--delete', '-e', shell, join(lab.dir, 'data/'), 'm:/srv/data/']);
  await nodeStart(lab, hand);
};
