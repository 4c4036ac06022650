import { type Benchmark, benchmarks, type Leftover, leftovers } from './benchmarks.ts';
import { median } from './measure.ts';

const wanted = process.argv.slice(2);
const isWanted = ({ name }: { name: string }) => wanted.length === 0 || wanted.includes(name);
const known = [...benchmarks, ...leftovers].map(({ name }) => name);
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) throw new Error(`no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}`);

console.log(`${'benchmark'.padEnd(14)} ${'vm'.padStart(10)} ${'by hand'.padStart(10)} ${'ratio'.padStart(6)}  target`);
for (const benchmark of benchmarks.filter(isWanted)) await printRatio(benchmark);
for (const leftover of leftovers.filter(isWanted)) await printLeftover(leftover);

async function printRatio({ name, target, unit = 'ms', measure }: Benchmark): Promise<void> {
  const { ours, floor } = await measure();
  const [vm, byHand] = [median(ours), median(floor)];
  const ratio = vm / byHand;
  const verdict = ratio <= target ? 'met' : 'MISSED';
  console.log(
    `${name.padEnd(14)} ${amount(vm, unit)} ${amount(byHand, unit)} ${ratio.toFixed(2).padStart(6)}  ≤ ${Number(target.toFixed(2))} ${verdict} (${ours.length} runs)`,
  );
}

async function printLeftover({ name, measure }: Leftover): Promise<void> {
  const bytes = await measure();
  console.log(
    `${name.padEnd(14)} ${`${bytes / 1024} KiB`.padStart(10)} ${''.padStart(17)}  0 ${bytes === 0 ? 'met' : 'MISSED'}`,
  );
}

function amount(value: number, unit: string): string {
  return `${Math.round(value)} ${unit}`.padStart(10);
}
