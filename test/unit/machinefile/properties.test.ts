// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Machinefiles have their own
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { MachinefileError } from '../../../src/errors.ts';
import { loadProject } from '../../../src/machinefile/load.ts';
import { machinefileSchema } from '../../../src/machinefile/schema.ts';
import { inFolder, loadInput } from './load-files.ts';
import { schemaKeys } from './schema-keys.ts';

/** Random numbers that are the same in every run. Source: https://en.wikipedia.org/wiki/Xorshift */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const keys = [...new Set(schemaKeys(machinefileSchema).map(({ path }) => path.split('.').at(-1) ?? ''))];
const machineKeys = Object.keys(machinefileSchema.properties.defaults.properties);
const scalars = [
  ...[
    0,
    1,
    -1,
    1.5,
    1e300,
    true,
    false,
    null,
    '',
    ' ',
    'tiny',
    'debian/12@1',
    './f',
    '/abs',
    '8080:80',
    '1-9:1-9',
    'a:b:c:d',
  ],
  ...[
    '512MiB',
    '5m',
    '${A}',
    '${A:-',
    '$$',
    '$',
    'ünïcode',
    '__proto__',
    'constructor',
    '10.0.0.1',
    '10.0.0.0/8',
    'web',
    'x\ny',
    '{}',
  ],
];

type Random = (below: number) => number;

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random(values.length)] as T; // the index is within
}

function randomValue(random: Random, depth: number): unknown {
  const kind = depth > 4 ? 0 : random(5);
  if (kind < 2) return pick(random, scalars);
  const size = random(4);
  if (kind === 2) return Array.from({ length: size }, () => randomValue(random, depth + 1));
  const names = random(2) === 0 ? machineKeys : [...keys, ...scalars.map(String)];
  return Object.fromEntries(Array.from({ length: size }, () => [pick(random, names), randomValue(random, depth + 1)]));
}

function randomMachinefile(random: Random): unknown {
  const machine = () =>
    Object.fromEntries(Array.from({ length: random(6) }, () => [pick(random, machineKeys), randomValue(random, 2)]));
  return {
    ...(random(2) === 0 && { defaults: random(4) === 0 ? randomValue(random, 1) : machine() }),
    machines:
      random(10) === 0 ? randomValue(random, 1) : { web: machine(), db: machine(), [pick(random, keys)]: machine() },
    ...(random(3) === 0 && { networks: randomValue(random, 1), volumes: randomValue(random, 1) }),
  };
}

/** Characters of a real Machinefile in disorder: what a half-typed file looks like. */
function randomText(random: Random): string {
  const parts = [
    'machines:',
    '\n',
    '  ',
    '- ',
    'm:',
    ' box: tiny',
    '{',
    '}',
    '[',
    ']',
    '*a',
    '&a ',
    '<<: ',
    '!reset ',
    '!override ',
    '"',
    "'",
    '|',
    '>',
    '#',
    '${X}',
    ': ',
    '\t',
    '---',
    '...',
    '? ',
    'é',
    '\u0000',
    '%YAML 1.1',
  ];
  return Array.from({ length: random(60) }, () => pick(random, parts)).join('');
}

async function loadsOrSaysWhy(dir: string, text: string): Promise<void> {
  const { writeFile } = await import('node:fs/promises');
  await writeFile(`${dir}/Machinefile`, text);
  try {
    await loadProject(loadInput(dir));
  } catch (error) {
    if (!(error instanceof MachinefileError)) throw new Error(`crashed on ${JSON.stringify(text)}`, { cause: error });
    const lineCount = text.split('\n').length;
    for (const { line, column, message } of error.problems) {
      expect(message).not.toMatch(/undefined|\[object|NaN/);
      expect(line).toBeGreaterThan(0);
      expect(line).toBeLessThanOrEqual(lineCount);
      expect(column).toBeGreaterThan(0);
    }
    expect(error.problems.length).toBeGreaterThan(0);
  }
}

describe('whatever the file, the loader loads it or says what is wrong', () => {
  test.each([1, 2, 3, 4])('random documents, seed %d', async (seed) => {
    const random = seeded(seed * 7919);
    await inFolder({ 'f/': '' }, async (dir) => {
      for (let round = 0; round < 40; round++) await loadsOrSaysWhy(dir, stringify(randomMachinefile(random)));
    });
  });

  test.each([1, 2])('random text, seed %d', async (seed) => {
    const random = seeded(seed * 104_729);
    await inFolder({}, async (dir) => {
      for (let round = 0; round < 120; round++) await loadsOrSaysWhy(dir, randomText(random));
    });
  });
});
