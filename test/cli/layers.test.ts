import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { storeFakeBox } from '../support/fake-box.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

interface CachedLayer {
  readonly step: string | null;
}

/** A project whose machine is a fake guest on a box of our own. */
async function projectWith(settings: string, files: Readonly<Record<string, string>> = {}): Promise<TestProject> {
  const project = await TestProject.create({
    files: {
      Machinefile: `machines: { m: { box: tiny, ${settings} } }\nvolumes: { data: { size: 16MiB } }\n`,
      ...files,
    },
    tools: [tools.qemuImg, ...tools.fakeGuest],
  });
  await storeFakeBox(String(project.env.VM_HOME), 'tiny');
  return project;
}

/** What became of the steps of the only machine. */
async function statesOf(project: TestProject): Promise<string[]> {
  const events = (await project.ok('up', '--json')).trim().split('\n');
  const [{ steps }] = JSON.parse(events.at(-1) ?? '').machines;
  return steps.map(({ state }: { readonly state: string }) => state);
}

async function keptSteps(project: TestProject): Promise<(string | null)[]> {
  const { layers } = JSON.parse(await project.ok('cache', 'list', '--json'));
  return (layers as CachedLayer[]).map(({ step }) => step).reverse();
}

test('what a step wrote to a volume counts for as long as there is that volume', async () => {
  await using project = await projectWith(`volumes: ["data:/srv"], provision: [{ name: fill, shell: echo fill }]`);
  expect(await statesOf(project)).toEqual(['run']);
  await project.ok('destroy', '--yes');
  expect(await statesOf(project)).toEqual(['cached']);
  await project.ok('destroy', '--yes', '--volumes');
  expect(await statesOf(project)).toEqual(['run']);
});

/** Edits a file when the first step is about to run. */
async function editWhenSteps(project: TestProject, file: string, steps: string): Promise<void> {
  await project.write('edit.sh', `#!/bin/sh\necho 'echo after' > ${file}\n`, 0o755);
  await project.write(
    'Machinefile',
    `machines: { m: { box: tiny, hooks: { before_provision: ["./edit.sh"] }, ${steps} } }\n`,
  );
}

test('a file that a step reads is edited while the machine comes up: the outcome is kept for nobody', async () => {
  const steps = `provision: [{ name: first, shell: echo }, { name: app, cache: { reads: [./data] }, shell: echo }]`;
  await using project = await projectWith(steps, { data: 'before\n' });
  await editWhenSteps(project, 'data', steps);
  expect(await statesOf(project)).toEqual(['run', 'run']);
  expect(await keptSteps(project)).toEqual([null, 'first']);
});

test('a script that is edited while the machine comes up: what is kept is that of the script that ran', async () => {
  const steps = `provision: [{ name: app, shell: { path: ./app.sh } }]`;
  await using project = await projectWith(steps, { 'app.sh': 'echo before\n' });
  await editWhenSteps(project, 'app.sh', steps);
  expect(await statesOf(project)).toEqual(['run']);
  await project.ok('destroy', '--yes');
  expect(await statesOf(project)).toEqual(['run']);
  await project.ok('destroy', '--yes');
  await project.write('app.sh', 'echo before\n');
  expect(await statesOf(project)).toEqual(['cached']);
});

test('a step that counts for a limited time is repeated after it, with all that stands on it', async () => {
  const steps = ['first', 'timed', 'last'].map(
    (name) => `{ name: ${name}, shell: echo${name === 'timed' ? ', cache: { ttl: 1h }' : ''} }`,
  );
  await using project = await projectWith(`provision: [${steps.join(', ')}]`);
  expect(await statesOf(project)).toEqual(['run', 'run', 'run']);
  await project.ok('destroy', '--yes');
  expect(await statesOf(project)).toEqual(['cached', 'cached', 'cached']);
  await project.ok('destroy', '--yes');
  await ageLayers(project, 2 * 3_600_000);
  expect(await statesOf(project)).toEqual(['cached', 'run', 'run']);
  await project.ok('destroy', '--yes');
  expect(await statesOf(project)).toEqual(['cached', 'cached', 'cached']);
});

/** Makes all layers older. */
async function ageLayers({ env }: TestProject, ms: number): Promise<void> {
  const dir = join(String(env.VM_HOME), 'layers');
  for (const id of await readdir(dir)) {
    const path = join(dir, id, 'layer.json');
    const layer = JSON.parse(await readFile(path, 'utf8'));
    const createdAt = new Date(Date.parse(layer.createdAt) - ms).toISOString();
    await writeFile(path, JSON.stringify({ ...layer, createdAt }));
  }
}
