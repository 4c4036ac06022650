import { Lab } from './lab.ts';
import { alternate, type Measurement, time } from './measure.ts';

const DEBIAN = '{ box: debian/12, cpus: 2, memory: 1GiB';
/** Stands for what takes long and writes something. */
const SLOW_STEP = '{ name: slow, shell: "dd if=/dev/urandom of=/srv/data bs=1M count=64 && sleep 40" }';

/** A machine with 40 s of provisioning that others have done, against one without, both made anew. */
export async function measureLayers(): Promise<Measurement> {
  await using lab = await Lab.create(
    `machines: { provisioned: ${DEBIAN}, provision: [${SLOW_STEP}] }, plain: ${DEBIAN} } }\n`,
  );
  await lab.vm('up', 'provisioned');
  const made = async (machine: string) => {
    await lab.vm('destroy', '--yes', machine);
    const elapsed = await time(() => lab.vm('up', machine));
    await lab.vm('halt', machine);
    return elapsed;
  };
  return await alternate(
    5,
    () => made('provisioned'),
    () => made('plain'),
  );
}

/** A new machine that goes on from a memory, to a command in it, against one that boots. */
export async function measureWarm(): Promise<Measurement> {
  await using lab = await Lab.create(
    'defaults: { box: tiny, memory: 256MiB }\nmachines: { warm: { warm: true }, cold: {} }\n',
  );
  await lab.vm('up', 'warm');
  const made = async (machine: string) => {
    await lab.vm('destroy', '--yes', machine);
    const elapsed = await time(async () => {
      await lab.vm('up', machine);
      await lab.vm('exec', machine, '--', 'true');
    });
    await lab.vm('halt', machine);
    return elapsed;
  };
  return await alternate(
    5,
    () => made('warm'),
    () => made('cold'),
  );
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
