import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MachinefileError } from '../../../src/errors.ts';
import { loadBoxRecipe } from '../../../src/machinefile/box-recipe.ts';
import { inFolder, loadInput } from './load-files.ts';

const load = (dir: string) => loadBoxRecipe(join(dir, 'app.yaml'), loadInput(dir, { env: { SIZE: '4GiB' } }));

function loadText(text: string) {
  return inFolder({ 'app.yaml': text, 'install.sh': 'true\n' }, async (dir) => {
    const { recipe, warnings } = await load(dir);
    expect(warnings).toEqual([]);
    return JSON.parse(JSON.stringify(recipe).replaceAll(dir, '/recipes'));
  });
}

function problemsOf(text: string): Promise<string[]> {
  return inFolder({ 'app.yaml': text }, async (dir) => {
    const error = await load(dir).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof MachinefileError)) throw error;
    return error.problems.map(({ file, line, column, message }) =>
      `${file}:${line}:${column}: ${message}`.replaceAll(`${dir}/`, ''),
    );
  });
}

test('a recipe is a machine with a name', async () => {
  const text = [
    'name: team/app.server',
    'version: 1.10',
    'box: debian/12',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Machinefiles have their own
    'disk: ${SIZE}',
    'provision:',
    '  - shell: { path: ./install.sh }',
  ].join('\n');
  expect(await loadText(text)).toMatchObject({
    name: 'team/app.server',
    version: '1.10',
    box: { kind: 'name', name: 'debian/12' },
    machine: {
      name: 'app-server',
      diskBytes: 4 * 2 ** 30,
      provision: [{ name: 'shell-1', action: { script: { kind: 'path', path: '/recipes/install.sh' } } }],
    },
  });
});

test('without a version it is 0', async () => {
  expect(await loadText('name: app\nbox: tiny')).toMatchObject({
    version: '0',
    machine: { name: 'app', provision: [] },
  });
});

test('a name may be longer than that of a machine', async () => {
  const name = `team/${'a'.repeat(64)}`;
  expect(await loadText(`name: ${name}\nbox: tiny`)).toMatchObject({ name, machine: { name: 'box' } });
});

describe('mistakes', () => {
  test('all at once, where they stand', async () => {
    expect(await problemsOf('nmae: app\nversion: new\nbox: tiny\ncpus: many\nprovision:\n  - shel: x')).toEqual([
      expect.stringMatching(/^app\.yaml:1:1: unknown key “nmae” in a box's recipe.*name/),
      expect.stringMatching(/^app\.yaml:1:1: “name” is missing/),
      expect.stringMatching(/^app\.yaml:2:10: “version” is wrong \(it is a version such as 1\.0\.0\)/),
      expect.stringMatching(/^app\.yaml:4:7: “cpus” must be/),
      expect.stringMatching(/^app\.yaml:6:5: /),
    ]);
  });

  test('keys of a machine that no box keeps', async () => {
    expect(await problemsOf('name: app\nbox: tiny\nports: ["80:80"]')).toEqual([
      expect.stringMatching(/^app\.yaml:3:1: unknown key “ports” in a box's recipe/),
    ]);
  });

  test.each([
    ['name: My App\nbox: tiny', /^app\.yaml:1:7: “name” is wrong \(it is a name such as team\/app\)/],
    ['name: app\nbox: app@1', /^app\.yaml:2:6: the box is made of itself/],
    ['name: app', /^app\.yaml:1:1: “box” is missing/],
    ['name: app\nbox: ./none.qcow2', /^app\.yaml:2:6: .*none\.qcow2|does not exist/],
    ['name: [app', /^app\.yaml:1:/],
  ])('%j', async (text, problem) => {
    expect(await problemsOf(text)).toEqual([expect.stringMatching(problem)]);
  });

  test('no such file', async () => {
    await inFolder({}, async (dir) => {
      await expect(load(dir)).rejects.toThrow(/app\.yaml:1:1: there is no such file/);
    });
  });
});
