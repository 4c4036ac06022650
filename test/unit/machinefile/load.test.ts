// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Machinefiles have their own
import { describe, expect, test } from 'vitest';
import { inMachine, inProject, machinefile, problemsOf } from './load-files.ts';

describe('all at once', () => {
  test('schema, rules and files, in the order of the file, each once', async () => {
    expect(
      await inProject(
        'nmae: x',
        'defaults:',
        '  box: tiny',
        '  cpus: many',
        'machines:',
        '  a:',
        '    memory: much',
        '    sync: ["./none:/srv"]',
        '  b:',
        '    ports: ["80-79"]',
        '    libvirt: {}',
      ),
    ).toEqual([
      expect.stringContaining('Machinefile:1:1: unknown key “nmae”'),
      expect.stringContaining('Machinefile:4:9: “cpus” must be'),
      expect.stringContaining('Machinefile:7:13: “much” is not a size'),
      expect.stringContaining('Machinefile:8:12: the folder does not exist'),
      expect.stringContaining('Machinefile:10:13: “80-79” runs backwards'),
      expect.stringContaining('Machinefile:11:5: “libvirt” is not built yet'),
    ]);
  });

  test('each problem names the file it is in', async () => {
    const problems = await problemsOf({
      Machinefile: 'machines: { m: { box: tiny, cpus: x } }',
      'Machinefile.override.yaml': 'machines: { m: { memory: x, ports: ["x"] } }',
    });
    expect(problems.map((problem) => problem.replace(/: .*/, ''))).toEqual([
      'Machinefile:1:35',
      'Machinefile.override.yaml:1:26',
      'Machinefile.override.yaml:1:37',
    ]);
  });

  test('a value from an anchor is wrong where it stands', async () => {
    expect(
      await inProject('x-c: &c { cpus: x }', 'machines:', '  a: { <<: *c, box: tiny }', '  b: { <<: *c, box: tiny }'),
    ).toEqual([expect.stringContaining('Machinefile:1:17: “cpus” must be')]);
  });

  test('a variable that is missing is one problem', async () => {
    expect(await inMachine('box: tiny\ncpus: ${CPUS:?how many}\nmemory: x')).toEqual([
      'Machinefile:4:11: variable “CPUS” is not set or empty: how many',
      expect.stringContaining('5:13: “x” is not a size'),
    ]);
  });

  test('a variable that is not set explains what it made wrong', async () => {
    expect(await inMachine('box: tiny\ncpus: ${CPUS}\nmessage: x ${OTHER}')).toEqual([
      expect.stringContaining('4:11: “cpus” has no value'),
      expect.stringContaining('4:11: variable “CPUS” is not set'),
    ]);
  });

  test('a key given twice does not hide the rest', async () => {
    expect(await inMachine('box: tiny\ncpus: 1\ncpus: 2\nmemory: x')).toEqual([
      'Machinefile:5:5: this key is given twice in the same mapping',
      expect.stringContaining('6:13: “x” is not a size'),
    ]);
  });

  test('broken YAML is only that', async () => {
    expect(await inProject('machines:', '  a: "x', '  cpus: many')).toEqual([
      expect.stringContaining('not valid YAML'),
    ]);
  });

  test('mistakes of .env come with the rest', async () => {
    expect(await problemsOf({ Machinefile: machinefile('box: tiny\ncpus: x'), '.env': '1=2' })).toEqual([
      '.env:1:1: not a variable (write NAME=value)',
      expect.stringContaining('Machinefile:4:11: “cpus”'),
    ]);
  });
});
