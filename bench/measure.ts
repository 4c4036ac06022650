import { spawn } from 'node:child_process';

/** Wall-clock milliseconds of one piece of work. */
export async function time(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Runs both in turn, so that a machine whose speed drifts drifts for both. */
export async function alternate(
  runs: number,
  ours: () => Promise<number>,
  floor: () => Promise<number>,
): Promise<Measurement> {
  const measured: { ours: number[]; floor: number[] } = { ours: [], floor: [] };
  for (let run = 0; run < runs; run++) {
    measured.ours.push(await ours());
    measured.floor.push(await floor());
  }
  return measured;
}

/** Milliseconds of each run. */
export interface Measurement {
  readonly ours: readonly number[];
  readonly floor: readonly number[];
}

/** Runs a program to its end and resolves with its exit code; its output is thrown away. */
export function runQuietly(
  file: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
) {
  return new Promise<number | null>((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'ignore', ...options });
    child.once('error', reject);
    child.once('close', resolve);
  });
}

/** The same, but it must succeed. */
export async function mustRun(
  file: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const exitCode = await runQuietly(file, args, options);
  if (exitCode !== 0) throw new Error(`${file} ${args.join(' ')} failed with exit code ${exitCode}`);
}
