import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { projectLayout } from '../../../src/machine/layout.ts';
import { StateStore } from '../../../src/machine/state-store.ts';

let dir: string;
let states: StateStore;
const scale = new Map([['web', { replicas: 3, declared: 2 }]]);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-scale-'));
  states = new StateStore(dir);
});

afterEach(() => rm(dir, { recursive: true }));

test('what is written is read; nothing to say is no file', async () => {
  expect(await states.readScale()).toEqual(new Map());
  await states.writeScale(scale);
  expect(await states.readScale()).toEqual(scale);
  await states.writeScale(new Map());
  expect(await states.isScaled()).toBe(false);
  expect(await states.readScale()).toEqual(new Map());
});

test('the state folder stays while there is something to say, and goes with it', async () => {
  const { stateDir, gitignorePath } = projectLayout(dir);
  await states.writeScale(scale);
  await states.removeIfEmpty();
  expect([await states.readScale(), existsSync(gitignorePath)]).toEqual([scale, true]);
  await states.writeScale(new Map());
  await states.removeIfEmpty();
  expect(existsSync(stateDir)).toBe(false);
});

test.each([
  '',
  '{',
  'null',
  '[]',
  '{ "format": 2, "machines": {} }',
  '{ "format": 1 }',
  '{ "format": 1, "machines": { "web": null } }',
  '{ "format": 1, "machines": { "web": { "replicas": 3 } } }',
  '{ "format": 1, "machines": { "web": { "replicas": -3, "declared": 1 } } }',
  '{ "format": 1, "machines": { "web": { "replicas": 1e9, "declared": 1 } } }',
])('damaged: %s', async (text) => {
  await states.writeScale(scale);
  const { scalePath } = projectLayout(dir);
  await writeFile(scalePath, text);
  await expect(states.readScale()).rejects.toMatchObject({
    message: `${scalePath}, which has the numbers of replicas that vm scale was given, cannot be read`,
    hint: expect.stringMatching(/^remove it: /),
  });
});
