import { readFile } from 'node:fs/promises';
import { type HandCopy, type HandTemplate, makeHandTemplate, startHandCopy } from './by-hand-template.ts';
import { Lab } from './lab.ts';
import { alternate, type Measurement, time } from './measure.ts';

const DEBIAN = '{ box: debian/12, cpus: 2, memory: 1GiB';
/** Stands for what takes long and writes something. */
const SLOW_STEP = '{ name: slow, shell: "dd if=/dev/urandom of=/srv/data bs=1M count=64 && sleep 40" }';

async function timeRemade(lab: Lab, machine: string, work: () => Promise<unknown>): Promise<number> {
  await lab.vm('destroy', '--yes', machine);
  const elapsed = await time(work);
  await lab.vm('halt', machine);
  return elapsed;
}

/** A machine with 40 s of provisioning that others have done, against one without, both made anew. */
export async function measureLayers(): Promise<Measurement> {
  await using lab = await Lab.create(
    `machines: { provisioned: ${DEBIAN}, provision: [${SLOW_STEP}] }, plain: ${DEBIAN} } }\n`,
  );
  await lab.vm('up', 'provisioned');
  const made = (machine: string) => timeRemade(lab, machine, () => lab.vm('up', machine));
  return await alternate(
    5,
    () => made('provisioned'),
    () => made('plain'),
  );
}

/** A new machine with 40 s of provisioning that goes on from a memory, to a command in it, against one that boots. */
export async function measureWarm(): Promise<Measurement> {
  await using lab = await Lab.create(
    `machines: { warm: ${DEBIAN}, warm: true, provision: [${SLOW_STEP}] }, cold: ${DEBIAN} } }\n`,
  );
  await lab.vm('up', 'warm');
  const made = (machine: string) =>
    timeRemade(lab, machine, async () => {
      await lab.vm('up', machine);
      await lab.vm('exec', machine, '--', 'true');
    });
  return await alternate(
    5,
    () => made('warm'),
    () => made('cold'),
  );
}

/** Alone, as what is made by hand is: with a network each would have a second card. */
const WARM_TINY = `defaults: { box: tiny, memory: 256MiB, networks: [] }
machines: { hand: {}, warm: { warm: true }, many: { warm: true, replicas: 4 } }
`;

/** A lab with a machine that was ended after its memory was kept by hand. */
async function warmLab(...machines: readonly string[]) {
  const lab = await Lab.create(WARM_TINY);
  await lab.vm('up', 'hand', ...machines);
  await lab.vm('halt', 'hand');
  return { lab, template: await makeHandTemplate(lab, 'hand') };
}

async function timeHandCopy(template: HandTemplate): Promise<number> {
  const startedAt = performance.now();
  await using _copy = await startHandCopy(template);
  return performance.now() - startedAt;
}

/** A new machine that goes on from a memory, to a command in it, against the same by hand. */
export async function measureWarmByHand(): Promise<Measurement> {
  const { lab, template } = await warmLab('warm');
  await using _lab = lab;
  return await alternate(
    5,
    async () => {
      await lab.vm('destroy', '--yes', 'warm');
      return time(async () => {
        await lab.vm('up', 'warm');
        await lab.vm('exec', 'warm', '--', 'true');
      });
    },
    () => timeHandCopy(template),
  );
}

/** A command in a machine of its own, which is gone afterwards, against a copy by hand. */
export async function measureRun(): Promise<Measurement> {
  const { lab, template } = await warmLab();
  await using _lab = lab;
  const run = () => lab.vm('run', '--rm', '--warm', 'tiny', '--', 'true');
  // The first makes the template.
  await run();
  return await alternate(
    5,
    () => time(run),
    () => timeHandCopy(template),
  );
}

const FOUR = [1, 2, 3, 4];

/** Four new machines that go on from one memory, to a command in each, against four copies by hand. */
export async function measureFour(): Promise<Measurement> {
  return measureReplicas(async (_pids, work) => time(work));
}

/** What each of four takes of the memory: kibibytes, with its part of what it shares. */
export async function measureFourMemory(): Promise<Measurement> {
  return measureReplicas(async (pids, work) => {
    await work();
    const each = await Promise.all((await pids()).map(proportionalKib));
    return each.reduce((sum, kib) => sum + kib, 0) / each.length;
  });
}

async function measureReplicas(
  measure: (pids: () => Promise<readonly number[]>, work: () => Promise<unknown>) => Promise<number>,
): Promise<Measurement> {
  const { lab, template } = await warmLab('many');
  await using _lab = lab;
  return await alternate(
    3,
    async () => {
      await lab.vm('destroy', '--yes', 'many');
      const result = await measure(
        async () => (JSON.parse(await lab.vm('status', '--json', 'many')) as { pid: number }[]).map(({ pid }) => pid),
        async () => {
          await lab.vm('up', 'many');
          await Promise.all(FOUR.map((index) => lab.vm('exec', `many-${index}`, '--', 'true')));
        },
      );
      await lab.vm('halt', 'many');
      return result;
    },
    async () => {
      let copies: HandCopy[] = [];
      const result = await measure(
        async () => copies.map(({ pid }) => pid),
        async () => {
          copies = await Promise.all(FOUR.map(() => startHandCopy(template)));
        },
      );
      await Promise.all(copies.map((copy) => copy[Symbol.asyncDispose]()));
      return result;
    },
  );
}

async function proportionalKib(pid: number): Promise<number> {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
}

/** What may be taken for a moment. */
const MOMENT_MS = 300;

/** How long a machine's state is being frozen after a step that has written 64 MiB, against a moment. */
export async function measureFreeze(): Promise<Measurement> {
  const step = '{ name: one, shell: "dd if=/dev/urandom of=/srv/data bs=1M count=64" }';
  await using lab = await Lab.create(`machines: { m: ${DEBIAN}, provision: [${step}] } }\n`);
  const freeze = async () => {
    const lines = await lab.vm('up', '--recreate', '--no-cache', '--yes', '--json');
    const events = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { phase?: string; status?: string; elapsed_ms?: number });
    return events.find(({ phase, status }) => phase === 'keep one' && status === 'done')?.elapsed_ms ?? Number.NaN;
  };
  return await alternate(3, freeze, async () => MOMENT_MS);
}
