import { describe, expect, test } from 'vitest';
import { findMachinefiles } from '../../../src/machinefile/find.ts';
import { type Files, inFolder, loadFiles, loadInput } from './load-files.ts';

const EMPTY = 'machines: {m: {box: tiny}}\n';

interface Search {
  readonly from?: string;
  readonly files?: readonly string[];
  readonly variable?: string;
}

/** What is found, relative to the folder. */
function find(files: Files, { from = '', files: named = [], variable }: Search = {}) {
  return inFolder(files, async (dir) => {
    const env = variable === undefined ? {} : { VM_FILE: variable };
    const found = await findMachinefiles({ cwd: `${dir}/${from}`, files: named, env });
    return found && JSON.parse(JSON.stringify(found).replaceAll(dir, ''));
  });
}

describe('findMachinefiles', () => {
  test.each<[string, Files, Search, unknown]>([
    ['Machinefile', { Machinefile: '' }, {}, { files: ['/Machinefile'], projectDir: '' }],
    ['Machinefile.yaml', { 'Machinefile.yaml': '' }, {}, { files: ['/Machinefile.yaml'], projectDir: '' }],
    ['Machinefile.yml', { 'Machinefile.yml': '' }, {}, { files: ['/Machinefile.yml'], projectDir: '' }],
    [
      'the first name wins',
      { Machinefile: '', 'Machinefile.yaml': '' },
      {},
      { files: ['/Machinefile'], projectDir: '' },
    ],
    [
      'a folder is no Machinefile',
      { 'Machinefile/': '', 'Machinefile.yml': '' },
      {},
      { files: ['/Machinefile.yml'], projectDir: '' },
    ],
    ['above', { Machinefile: '', 'a/b/': '' }, { from: 'a/b' }, { files: ['/Machinefile'], projectDir: '' }],
    [
      'the nearest',
      { Machinefile: '', 'a/Machinefile.yml': '', 'a/b/': '' },
      { from: 'a/b' },
      { files: ['/a/Machinefile.yml'], projectDir: '/a' },
    ],
    [
      'with its override file',
      { Machinefile: '', 'Machinefile.override.yaml': '', 'a/': '' },
      { from: 'a' },
      { files: ['/Machinefile', '/Machinefile.override.yaml'], projectDir: '' },
    ],
    [
      'with .yml',
      { 'Machinefile.yaml': '', 'Machinefile.override.yml': '' },
      {},
      { files: ['/Machinefile.yaml', '/Machinefile.override.yml'], projectDir: '' },
    ],
    ['an override file alone is nothing', { 'Machinefile.override.yaml': '' }, {}, undefined],
    [
      '-f replaces the search',
      { Machinefile: '', 'Machinefile.override.yaml': '', 'a/x.yaml': '', 'y.yaml': '' },
      { files: ['a/x.yaml', 'y.yaml'], variable: 'z.yaml' },
      { files: ['/a/x.yaml', '/y.yaml'], projectDir: '/a' },
    ],
    [
      'VM_FILE too',
      { Machinefile: '', 'a.yaml': '', 'b/c.yaml': '' },
      { variable: 'a.yaml:b/c.yaml:' },
      { files: ['/a.yaml', '/b/c.yaml'], projectDir: '' },
    ],
    ['an empty VM_FILE is none', { Machinefile: '' }, { variable: '' }, { files: ['/Machinefile'], projectDir: '' }],
  ])('%s', async (_, files, search, expected) => {
    expect(await find(files, search)).toEqual(expected);
  });

  test.each<[Search, RegExp]>([
    [{ files: ['none'] }, /none, given by -f, does not exist$/],
    [{ files: ['a'] }, /a, given by -f, is a folder$/],
    [{ variable: 'Machinefile:none' }, /none, given by VM_FILE, does not exist$/],
  ])('%j is refused', async (search, message) => {
    await expect(find({ Machinefile: '', 'a/': '' }, search)).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringMatching(message),
    });
  });
});

describe('loadProject', () => {
  test('without a Machinefile says what to do', async () => {
    await expect(loadFiles({ 'a/': '' })).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringMatching(/^no Machinefile in .* or above$/),
      hint: expect.stringContaining('vm init'),
    });
  });

  test('names the files it read', async () => {
    const files = { Machinefile: EMPTY, 'Machinefile.override.yaml': '' };
    expect((await loadFiles(files)).files).toEqual(['/project/Machinefile', '/project/Machinefile.override.yaml']);
  });

  test('takes a file that cannot be read as an expected failure', async () => {
    await inFolder({ 'x.yaml': EMPTY }, async (dir) => {
      const { loadFound } = await import('../../../src/machinefile/load.ts');
      const found = { files: [`${dir}/gone.yaml`], projectDir: dir };
      await expect(loadFound(found, loadInput(dir))).rejects.toMatchObject({ name: 'VmError' });
    });
  });
});
