import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measureBoxImport, measureDownload, measureImport } from './boxes.ts';
import { powerDown } from './by-hand.ts';
import { type ByHand, byHand, timeByHand } from './by-hand-machine.ts';
import {
  measureFour,
  measureFourMemory,
  measureFreeze,
  measureLayers,
  measureRun,
  measureWarm,
  measureWarmByHand,
} from './instant.ts';
import { Lab } from './lab.ts';
import { measureChain, measureStatusOfMany, measureTcp, measureTenUp } from './labs.ts';
import { alternate, type Measurement, mustRun, time } from './measure.ts';
import { processesOf } from './resident.ts';

export interface Benchmark {
  readonly name: string;
  /** The largest good ratio of vm to doing it by hand, or of the first to the second of what is compared. */
  readonly target: number;
  /** Of what is measured; absent: milliseconds. */
  readonly unit?: string;
  measure(): Promise<Measurement>;
}

const DEBIAN = 'machines: { m: { box: debian/12, cpus: 2, memory: 1GiB } }\n';
const TINY = 'machines: { m: { box: tiny, memory: 256MiB, sync: [./data:/srv/data] } }\n';
const PROVISIONED = `machines:
  m:
    box: tiny
    memory: 256MiB
    ports: ["80"]
    environment: { A: b }
    provision: [{ name: a, shell: "true" }, { name: b, shell: "true" }, { name: c, shell: "true" }]
`;
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
  { name: 'ten-up', target: 1.15, measure: measureTenUp },
  { name: 'chain', target: 1.05, measure: measureChain },
  { name: 'tcp', target: 1 / 0.9, measure: measureTcp },
  { name: 'status-20', target: 1.5, measure: measureStatusOfMany },
  { name: 'status', target: 2.0, measure: () => onRunningTiny(20, vmCommand('status'), nodeStart) },
  { name: 'plan', target: 3.0, measure: measurePlan },
  { name: 'exec', target: 1.8, measure: () => onRunningTiny(20, vmCommand('exec', 'm', '--', 'true'), sshAndNode) },
  { name: 'sync', target: 1.6, measure: () => onRunningTiny(20, vmCommand('sync'), rsyncAndNode) },
  { name: 'layers', target: 1.05, measure: measureLayers },
  { name: 'warm', target: 0.15, measure: measureWarm },
  { name: 'warm-by-hand', target: 1.5, measure: measureWarmByHand },
  { name: 'run', target: 1.5, measure: measureRun },
  { name: 'four', target: 1.3, measure: measureFour },
  { name: 'four-memory', target: 1.2, unit: 'KiB', measure: measureFourMemory },
  { name: 'freeze', target: 1.0, measure: measureFreeze },
  { name: 'import', target: 1.3, measure: measureImport },
  { name: 'import-box', target: 1.2, measure: measureBoxImport },
  { name: 'download', target: 1.3, measure: measureDownload },
];

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
    () => timeByHand([hand]),
  );
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
    async () => {
      const elapsed = await timeByHand(hands);
      // The switch of their network ends.
      await lab.vm('halt');
      return elapsed;
    },
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

/** Of a machine that is up to date, with steps and a box to compare. */
async function measurePlan(): Promise<Measurement> {
  await using lab = await Lab.create(PROVISIONED);
  await lab.vm('up');
  const planned = await lab.vm('plan');
  if (!planned.startsWith('m is up to date\n')) throw new Error(`there is something to do:\n${planned}`);
  return await alternate(
    20,
    () => time(() => lab.vm('plan')),
    () => time(() => mustRun(process.execPath, ['-e', '0'])),
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
