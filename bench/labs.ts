import { availableParallelism } from 'node:os';
import { type ByHand, byHand, timeByHand } from './by-hand-machine.ts';
import { Lab } from './lab.ts';
import { alternate, type Measurement, mustRun, time } from './measure.ts';

/** As many as `vm up` starts at a time: a guest that boots keeps a processor busy. */
const PARALLEL = Math.max(2, availableParallelism());

function lab(...machines: readonly string[]): Promise<Lab> {
  return Lab.create(`defaults: { box: tiny, memory: 256MiB }\nmachines: { ${machines.join(', ')} }\n`);
}

/** Ten machines on one network, from stopped to a command in each. */
export async function measureTenUp(): Promise<Measurement> {
  const names = Array.from({ length: 10 }, (_, i) => `m${i + 1}`);
  await using ten = await lab(...names.map((name) => `${name}: {}`));
  await ten.vm('up');
  await ten.vm('halt');
  const hands = await handsOf(ten, names);
  return await alternate(
    3,
    () => timeUp(ten),
    async () => {
      const elapsed = await timeByHand(hands, { parallel: PARALLEL });
      await ten.vm('halt');
      return elapsed;
    },
  );
}

async function handsOf(machines: Lab, names: readonly string[]): Promise<ByHand[]> {
  const hands: ByHand[] = [];
  for (const name of names) hands.push(await byHand(machines, name));
  return hands;
}

async function timeUp(machines: Lab, ...names: string[]): Promise<number> {
  const elapsed = await time(() => machines.vm('up', ...names));
  await machines.vm('halt');
  return elapsed;
}

/** Three machines that wait for each other, against the sum of each by itself. */
export async function measureChain(): Promise<Measurement> {
  await using chain = await lab('a: {}', 'b: { depends_on: [a] }', 'c: { depends_on: [b] }');
  await chain.vm('up');
  await chain.vm('halt');
  return await alternate(
    3,
    () => timeUp(chain),
    async () => {
      let sum = 0;
      for (const name of ['a', 'b', 'c']) sum += await timeUp(chain, '--no-deps', name);
      return sum;
    },
  );
}

const MEBIBYTES = 100;

/** The time that bytes take from one guest to another; by hand, they are connected by a switch of somebody's own. */
export async function measureTcp(): Promise<Measurement> {
  await using pair = await lab('a: {}', 'b: {}');
  await pair.vm('up');
  await pair.vm('halt');
  const hands = await handsOf(pair, ['a', 'b']);
  return await alternate(
    3,
    async () => {
      await pair.vm('up');
      const elapsed = await timeTransfer(pair, hands);
      await pair.vm('halt');
      return elapsed;
    },
    async () => {
      let elapsed = 0;
      const work = async () => {
        elapsed = await timeTransfer(pair, hands);
      };
      await timeByHand(hands, { work });
      await pair.vm('halt');
      return elapsed;
    },
  );
}

async function timeTransfer({ dir }: Lab, [a, b]: readonly ByHand[]): Promise<number> {
  if (a === undefined || b === undefined) throw new Error(`two machines in ${dir}`);
  const serve = `dd if=/dev/zero of=/root/file bs=1M count=${MEBIBYTES} 2>/dev/null && httpd -p 8000 -h /root`;
  await mustRun('ssh', [...a.sshArgs, serve]);
  return time(() => mustRun('ssh', [...b.sshArgs, 'wget -q -O- http://a:8000/file >/dev/null']));
}

/** The status of twenty machines that run, against that of one. */
export async function measureStatusOfMany(): Promise<Measurement> {
  const names = Array.from({ length: 20 }, (_, i) => `m${i + 1}`);
  await using twenty = await lab(...names.map((name) => `${name}: {}`));
  await twenty.vm('up');
  return await alternate(
    20,
    () => time(() => twenty.vm('status')),
    () => time(() => twenty.vm('status', 'm1')),
  );
}
