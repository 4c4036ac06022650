import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadProject } from '../../../src/machinefile/load.ts';
import { type InitInput, init, listTemplates } from '../../../src/operations/init.ts';
import { type Files, inFolder, loadInput } from '../machinefile/load-files.ts';

const templatesDir = fileURLToPath(new URL('../../../templates/machinefiles', import.meta.url));

interface Result {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  readonly box: unknown;
}

/** Runs `init` in a folder and reads what it wrote. */
function initIn(files: Files, input: Partial<InitInput> = {}): Promise<Result> {
  return inFolder(files, async (dir) => {
    const { path } = await init({ dir, templatesDir, template: 'default', box: undefined, force: false, ...input });
    const { project } = await loadProject(loadInput(dir));
    const text = await readFile(path, 'utf8');
    const { mode } = await stat(path);
    return { path: path.replace(`${dir}/`, ''), text, mode: mode & 0o777, box: project.machines[0]?.box };
  });
}

describe('init', async () => {
  test('writes a Machinefile that loads', async () => {
    const { path, text, mode, box } = await initIn({});
    expect(path).toBe('Machinefile');
    expect(text).toContain('# yaml-language-server: $schema=');
    expect(mode).toBe(0o644);
    expect(box).toMatchObject({ name: 'debian/12' });
  });

  test.each(await listTemplates(templatesDir))('knows the template %s', async (template) => {
    expect((await initIn({}, { template, box: 'tiny@2.0' })).box).toMatchObject({
      kind: 'name',
      name: 'tiny',
      version: { text: '2.0' },
    });
  });

  test.each([
    ['tiny', 'box: tiny'],
    ['./my box$.qcow2', 'box: "./my box$$.qcow2"'],
    ['12', 'box: "12"'],
  ])('puts the box %j in', async (box, line) => {
    expect((await initIn({ 'my box$.qcow2': '' }, { box })).text).toMatch(
      new RegExp(`^ +${line.replaceAll('$', '\\$')}$`, 'm'),
    );
  });

  test.each(['Machinefile', 'Machinefile.yaml', 'Machinefile.yml'])('does not overwrite %s', async (name) => {
    await inFolder({ [name]: 'mine' }, async (dir) => {
      const input = { dir, templatesDir, template: 'default', box: undefined };
      await expect(init({ ...input, force: false })).rejects.toMatchObject({
        name: 'UsageError',
        message: `${dir}/${name} exists already`,
        hint: expect.stringContaining('--force'),
      });
      expect(await readFile(`${dir}/${name}`, 'utf8')).toBe('mine');
      expect(await init({ ...input, force: true })).toEqual({ path: `${dir}/${name}` });
    });
  });

  test.each<[Partial<InitInput>, string]>([
    [
      { template: 'wbe' },
      'there is no template “wbe” (allowed: default, sandbox, two-machines, web; did you mean “web”?)',
    ],
    [{ template: '../x' }, 'there is no template “../x” (allowed: default, sandbox, two-machines, web)'],
    [{ box: 'Not A Box' }, '“Not A Box” is not a box (allowed: name, name@version, ./path, https://…, oci://…)'],
  ])('refuses %j', async (input, message) => {
    await expect(initIn({}, input)).rejects.toMatchObject({ name: 'UsageError', message });
  });
});
