// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Machinefiles have their own
import { describe, expect, test } from 'vitest';
import { loadFiles, machinefile } from './load-files.ts';

describe('defaults', () => {
  test('lie under every machine', async () => {
    const { project } = await loadFiles({
      Machinefile: [
        'defaults:',
        '  box: tiny',
        '  cpus: 2',
        '  environment: { A: 1, B: 1 }',
        '  ports: [80]',
        '  provision: [{ name: first, shell: a }]',
        'machines:',
        '  a:',
        '  b:',
        '    cpus: 3',
        '    environment: { B: 2 }',
        '    ports: [81]',
        '    provision: [{ name: second, shell: b }]',
        '  c:',
        '    ports: !override [82]',
        '    environment: !reset null',
      ].join('\n'),
    });
    const [a, b, c] = project.machines;
    expect(a).toMatchObject({ cpus: 2, environment: { A: '1', B: '1' } });
    expect(b).toMatchObject({ cpus: 3, environment: { A: '1', B: '2' } });
    expect(b?.ports.map(({ guest }) => guest)).toEqual([80, 81]);
    expect(b?.provision.map(({ name }) => name)).toEqual(['first', 'second']);
    expect(c?.ports.map(({ guest }) => guest)).toEqual([82]);
    expect(c?.environment).toEqual({});
  });

  test('an empty mapping of defaults is none', async () => {
    expect(
      (await loadFiles({ Machinefile: 'defaults:\nmachines: { m: { box: tiny } }' })).project.machines,
    ).toHaveLength(1);
  });
});

describe('several files', () => {
  test('paths begin at the file that has them', async () => {
    const { project } = await loadFiles(
      {
        'a/base.yaml': 'defaults: { provision: [{ shell: { path: ./s.sh } }] }\nmachines: { m: { box: ./b.qcow2 } }',
        'b/over.yaml': 'machines: { m: { provision: [{ shell: { path: ./s.sh } }], sync: ["./x:/x"] } }',
        'a/s.sh': '',
        'b/s.sh': '',
        'a/b.qcow2': '',
        'b/x/': '',
      },
      { files: ['a/base.yaml', 'b/over.yaml'] },
    );
    expect(project.projectDir).toBe('/project/a');
    const [machine] = project.machines;
    expect(machine?.box).toEqual({ kind: 'path', path: '/project/a/b.qcow2' });
    expect(machine?.provision.map(({ action }) => action.script)).toEqual([
      { kind: 'path', path: '/project/a/s.sh' },
      { kind: 'path', path: '/project/b/s.sh' },
    ]);
    expect(machine?.sync[0]?.hostPath).toBe('/project/b/x');
  });

  test('an override file changes and adds', async () => {
    const { project } = await loadFiles({
      Machinefile: 'machines: { m: { box: tiny, cpus: 1, ports: [80] } }',
      'Machinefile.override.yaml': 'machines: { m: { cpus: 2, ports: [81] }, n: { box: tiny } }',
    });
    expect(project.machines.map(({ name }) => name)).toEqual(['m', 'n']);
    expect(project.machines[0]).toMatchObject({ cpus: 2, ports: [{ guest: 80 }, { guest: 81 }] });
  });

  test('overrides with tags hold against defaults', async () => {
    const { project } = await loadFiles({
      Machinefile: 'defaults: { ports: [79] }\nmachines: { m: { box: tiny, ports: [80], message: hi } }',
      'Machinefile.override.yaml': 'machines: { m: { ports: !override [81], message: !reset null } }',
    });
    expect(project.machines[0]?.ports.map(({ guest }) => guest)).toEqual([81]);
    expect(project.machines[0]?.message).toBeUndefined();
  });
});

describe('variables', () => {
  const text = machinefile('box: tiny\ncpus: ${CPUS:-1}\nmessage: ${A}-${B:-none}');

  test('come from .env, and the environment wins', async () => {
    const { project, warnings } = await loadFiles(
      { Machinefile: text, '.env': 'A=file\nB=file\nCPUS=4' },
      { env: { A: 'environment' } },
    );
    expect(project.machines[0]).toMatchObject({ cpus: 4, message: 'environment-file' });
    expect(warnings).toEqual([]);
  });

  test('that are not set are warned of', async () => {
    const { project, warnings } = await loadFiles({ Machinefile: text });
    expect(project.machines[0]).toMatchObject({ cpus: 1, message: '-none' });
    expect(warnings).toEqual([
      { file: '/project/Machinefile', line: 5, column: 14, message: expect.stringContaining('“A” is not set') },
    ]);
  });

  test('a folder called .env is passed over', async () => {
    expect((await loadFiles({ Machinefile: text, '.env/x': '' })).project.machines).toHaveLength(1);
  });

  test('.env stands beside the first file', async () => {
    const files = { 'a/m.yaml': text, 'a/.env': 'A=a', '.env': 'A=wrong' };
    const { project } = await loadFiles(files, { files: ['a/m.yaml'] });
    expect(project.machines[0]?.message).toBe('a-none');
  });
});

describe('VM_PROVIDER', () => {
  const files = { Machinefile: machinefile('box: tiny') };

  test.each(['', 'qemu'])('%j is qemu', async (value) => {
    expect((await loadFiles(files, { env: { VM_PROVIDER: value } })).project.machines[0]?.provider).toBe('qemu');
  });

  test.each([
    ['libvirt', 'provider libvirt, given by VM_PROVIDER, is not built yet'],
    ['xen', 'VM_PROVIDER names no provider: “xen”'],
  ])('%s is refused', async (value, message) => {
    await expect(loadFiles(files, { env: { VM_PROVIDER: value } })).rejects.toMatchObject({
      name: 'UsageError',
      message,
    });
  });

  test('gives way to the Machinefile', async () => {
    const named = { Machinefile: machinefile('box: tiny\nprovider: qemu') };
    expect((await loadFiles(named, { env: { VM_PROVIDER: 'libvirt' } })).project.machines[0]?.provider).toBe('qemu');
  });
});
