import { benchmarks } from './benchmarks.ts';
import { median } from './measure.ts';

const wanted = process.argv.slice(2);
const chosen = benchmarks.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (chosen.length === 0) throw new Error(`benchmarks: ${benchmarks.map(({ name }) => name).join(', ')}`);

console.log(`${'benchmark'.padEnd(14)} ${'vm'.padStart(10)} ${'by hand'.padStart(10)} ${'ratio'.padStart(6)}  target`);
for (const { name, target, measure } of chosen) {
  const { ours, floor } = await measure();
  const [vm, byHand] = [median(ours), median(floor)];
  const ratio = vm / byHand;
  const verdict = ratio <= target ? 'met' : 'MISSED';
  console.log(
    `${name.padEnd(14)} ${milliseconds(vm)} ${milliseconds(byHand)} ${ratio.toFixed(2).padStart(6)}  ≤ ${target} ${verdict} (${ours.length} runs)`,
  );
}

function milliseconds(value: number): string {
  return `${Math.round(value)} ms`.padStart(10);
}
