import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { MachineRecord } from '../../src/machine/record.ts';
import { storeFakeBox } from '../support/fake-box.ts';
import { createImage } from '../support/images.ts';
import { TestProject } from '../support/test-project.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { tools } from '../support/tools.ts';

const STEPS = 'provision: [{ name: one, shell: echo }]';
const DISKS = 'disks: [{ name: data, size: 64MiB }]';

function machinefile(settings: string): string {
  return `machines: { web: { box: tiny, ${settings} } }\nvolumes: { pgdata: { size: 16MiB } }\n`;
}

/** A project whose machines are fake guests on real disks, with a box of our own; all of it in one place, if one is given. */
async function projectWith(settings: string, placeDir?: string): Promise<TestProject> {
  const project = await TestProject.create({
    files: { Machinefile: machinefile(settings) },
    ...(placeDir && { dir: join(placeDir, 'project'), env: { VM_HOME: join(placeDir, 'home') } }),
    tools: [tools.qemuImg, ...tools.decompressors, ...tools.fakeGuest],
  });
  await storeFakeBox(String(project.env.VM_HOME), 'tiny');
  return project;
}

const machineDir = ({ dir }: TestProject, machine: string) => join(dir, '.vm/machines', machine);

function recordOf(project: TestProject, machine: string): MachineRecord {
  return JSON.parse(readFileSync(join(machineDir(project, machine), 'record.json'), 'utf8'));
}

/** The files that a disk stands on, without itself. @throws where one is not there. */
function chainOf(project: TestProject, machine: string, disk = 'disk.qcow2'): string[] {
  const args = ['info', '-U', '--backing-chain', '--output=json', join(machineDir(project, machine), disk)];
  const chain = JSON.parse(execFileSync('qemu-img', args, { encoding: 'utf8' })) as { filename: string }[];
  return chain.slice(1).map(({ filename }) => filename);
}

/** Each machine with its state. */
async function shown(project: TestProject): Promise<string[]> {
  const machines: { machine: string; state: string }[] = JSON.parse(await project.ok('status', '--json'));
  return machines.map(({ machine, state }) => `${machine} ${state}`);
}

interface Listed {
  readonly private: boolean;
  readonly machines: readonly { readonly machine: string }[];
}

/** By whom the layers of clones are used; newest first. */
async function usersOfClones(project: TestProject): Promise<string[][]> {
  const { layers } = JSON.parse(await project.ok('cache', 'list', '--json')) as { layers: Listed[] };
  return layers.filter((layer) => layer.private).map(({ machines }) => machines.map(({ machine }) => machine).sort());
}

test.each([
  ['stopped', ['halt']],
  ['running', []],
])('a machine that is %s: both stand on its disks, and each goes without the other', async (state, before) => {
  await using project = await projectWith(`${STEPS}, ${DISKS}, ports: ["18481:80"]`);
  await project.ok('up');
  for (const command of before) await project.ok(command);
  expect(await project.ok('clone', 'web', 'try')).toBe('try is a clone of web: vm up try starts it\n');
  expect(await shown(project)).toEqual([`web ${state}`, 'try stopped']);
  expect(await project.ok('config'), 'it is not in the Machinefile').not.toContain('try');
  for (const disk of ['disk.qcow2', 'own-data.qcow2']) {
    expect(chainOf(project, 'try', disk)).toEqual(chainOf(project, 'web', disk));
  }
  expect(await usersOfClones(project)).toEqual([['try', 'web']]);

  expect(await project.ok('up', 'try')).toMatch(/^try is up: .* 1 step done/m);
  const [web, clone] = [recordOf(project, 'web'), recordOf(project, 'try')];
  expect(clone.steps).toEqual(web.steps);
  for (const key of ['id', 'macAddress', 'runtimeDir'] as const) expect(clone[key]).not.toBe(web[key]);
  expect(clone.forwards[1]?.host, 'the port is that of web').not.toBe(18481);
  for (const key of ['id_ed25519.pub', 'ssh_host_ed25519_key.pub']) {
    const [one, other] = ['web', 'try'].map((name) => readFileSync(join(machineDir(project, name), key), 'utf8'));
    expect(one).not.toBe(other);
  }

  await project.ok('destroy', 'web', '--yes');
  expect(chainOf(project, 'try').length, 'all that it stands on is there').toBeGreaterThan(1);
  expect(await usersOfClones(project)).toEqual([['try']]);
  await project.ok('cache', 'prune', '--all', '--yes');
  expect(chainOf(project, 'try').length).toBeGreaterThan(1);
  await project.ok('destroy', 'try', '--yes');
  expect(await usersOfClones(project), 'nothing stands on it').toEqual([]);
});

test('clones of a clone, and of one machine again; what none of them needs any more is gone', async () => {
  await using project = await projectWith(STEPS);
  await project.ok('up');
  await project.ok('clone', 'web', 'b');
  await project.ok('clone', 'b', 'a');
  await project.ok('clone', 'web', 'c');
  expect(recordOf(project, 'a').cloneOf).toBe('web');
  expect(await usersOfClones(project)).toEqual([['c', 'web'], ['a', 'b'], []]);
  await project.ok('destroy', 'b', 'web', '--yes');
  expect(await usersOfClones(project)).toEqual([['c'], ['a'], []]);
  expect(chainOf(project, 'a')).toHaveLength(chainOf(project, 'c').length);
  await project.ok('destroy', 'a', '--yes');
  expect(await usersOfClones(project)).toEqual([['c'], []]);
  await project.ok('destroy', 'c', '--yes');
  expect(await usersOfClones(project)).toEqual([]);
});

test('a clone that is made anew is made as its original would be', async () => {
  await using project = await projectWith(STEPS);
  await project.ok('up');
  await project.ok('clone', 'web', 'try');
  await project.ok('destroy', 'web', '--yes');
  await project.ok('up', '--recreate', '--yes', 'try');
  expect(await usersOfClones(project)).toEqual([]);
  expect(await shown(project)).toEqual(['web not_created', 'try running']);
});

test('a clone whose original has left the Machinefile is as any machine that has', async () => {
  await using project = await projectWith(STEPS);
  await project.ok('up');
  await project.ok('clone', 'web', 'try');
  await project.ok('up', 'try');
  await project.write('Machinefile', 'machines: { db: { box: tiny } }\n');
  expect(await shown(project)).toEqual(['db not_created', 'try running', 'web running']);
  expect(await project.fails(1, 'clone', 'try', 'more')).toContain('try has left the Machinefile');
  await project.ok('exec', 'try', '--', 'true');
  await project.ok('halt', 'try');
  // By now its name is that of a machine of the Machinefile, which it is from here on.
  await project.write('Machinefile', 'machines: { try: { box: tiny } }\n');
  expect(await shown(project)).toEqual(['try stopped', 'web running']);
  expect(await project.ok('config')).not.toContain('web');
});

test('a clone has the size that its original has, whatever the Machinefile says by now', async () => {
  await using project = await projectWith(`disk: 128MiB, ${DISKS}`);
  await project.ok('up');
  await project.ok('halt');
  await project.write('Machinefile', machinefile('disks: [{ name: data, size: 32MiB }, { name: new, size: 8MiB }]'));
  await project.ok('clone', 'web', 'try');
  const sizes = ['disk', 'own-data', 'own-new'].map((name) => {
    const args = ['info', '--output=json', join(machineDir(project, 'try'), `${name}.qcow2`)];
    return JSON.parse(execFileSync('qemu-img', args, { encoding: 'utf8' }))['virtual-size'] / 2 ** 20;
  });
  expect(sizes).toEqual([128, 64, 8]);
});

/** What a clone makes, in this order; each is waited for, and the command killed as soon as it is there. */
const INSTANTS: readonly (readonly [what: string, isSeen: (project: TestProject) => boolean])[] = [
  ['the folder of the layer', (project) => layerFiles(project).some(({ files }) => files.includes('maker'))],
  ['an overlay', (project) => readdirSync(machineDir(project, 'web')).some((name) => name.includes('.on-'))],
  ['the frozen disk', (project) => layerFiles(project).some(({ files }) => files.join() === 'maker,root.qcow2')],
  ['the layer', (project) => layerFiles(project).some(({ text }) => text.includes('isPrivate'))],
  ['the folder of the clone', (project) => existsSync(machineDir(project, '.creating-try'))],
  ['the clone', (project) => existsSync(machineDir(project, 'try'))],
];

function layerFiles({ env }: TestProject): { readonly files: readonly string[]; readonly text: string }[] {
  const layersDir = join(String(env.VM_HOME), 'layers');
  const dirs = readdirSync(layersDir).filter((name) => !name.startsWith('.'));
  return dirs.map((name) => {
    const files = readdirSync(join(layersDir, name)).sort();
    const isLayer = files.includes('layer.json');
    return { files, text: isLayer ? readFileSync(join(layersDir, name, 'layer.json'), 'utf8') : '' };
  });
}

test.each(INSTANTS)(
  'killed once there is %s: there is a whole clone, or none, and the machine goes on',
  async (what, isSeen) => {
    await using project = await projectWith(STEPS);
    await project.ok('up');
    await project.ok('halt');
    const running = project.start('clone', 'web', 'try');
    while (running.child.exitCode === null && !isSeen(project)) await setImmediate();
    running.child.kill('SIGKILL');
    await running.ended;
    // Takes the lock, and so ends what was begun.
    await project.ok('halt');
    expect(recordOf(project, 'web')).not.toHaveProperty('freezing');
    expect(chainOf(project, 'web').length).toBeGreaterThan(0);
    const machines = await shown(project);
    if (what === 'the clone') expect(machines).toEqual(['web stopped', 'try stopped']);
    if (machines.length === 1) await project.ok('clone', 'web', 'try');
    expect(chainOf(project, 'try')).toEqual(chainOf(project, 'web'));
  },
);

test('a disk that is full, at whatever moment: there is no clone then, nothing is lost, and there is one when there is room', async () => {
  await using tmpfs = await mountTmpfs('64m');
  await using project = await projectWith(STEPS, tmpfs.dir);
  await project.ok('up');
  await project.ok('halt');
  const outcomes: (number | null)[] = [];
  for (const freeKib of [0, 32, 512]) {
    const { blocks, bfree, bsize } = await statfs(tmpfs.dir);
    await tmpfs.resize(`${((blocks - bfree) * bsize) / 1024 + freeKib}k`);
    const { exitCode, stderr } = await project.vm('clone', 'web', 'try');
    await tmpfs.resize('64m');
    outcomes.push(exitCode);
    if (exitCode === 0) break;
    expect(stderr, `${freeKib} KiB`).toMatch(/disk is full|No space left/);
    expect(await shown(project), `${freeKib} KiB`).toEqual(['web stopped']);
    expect(chainOf(project, 'web').length).toBeGreaterThan(0);
  }
  expect(outcomes[0]).toBe(1);
  expect(outcomes.at(-1)).toBe(0);
  expect(chainOf(project, 'try')).toEqual(chainOf(project, 'web'));
});

test('two at once: one after the other, and no name twice', async () => {
  await using project = await projectWith(STEPS);
  await project.ok('up');
  const wanted = ['a', 'a', 'b', 'zz'];
  const results = await Promise.all(wanted.map((name) => project.vm('clone', 'web', name)));
  expect(results.map(({ exitCode }) => exitCode).sort()).toEqual([0, 0, 0, 2]);
  expect(results.map(({ stderr }) => stderr).join('')).toContain('there is a machine called a already');
  expect(await shown(project)).toEqual(['web running', 'a stopped', 'b stopped', 'zz stopped']);
});

describe('what cannot be is refused, with the reason and another way', () => {
  test('names', async () => {
    await using project = await projectWith(STEPS);
    expect(await project.fails(1, 'clone', 'web', 'try')).toContain('vm up web creates it');
    await project.ok('up');
    await project.ok('halt');
    expect(await project.fails(2, 'clone', 'web', 'No_name')).toContain('“No_name” is not a name of a machine');
    expect(await project.fails(2, 'clone', 'web', 'web')).toContain('there is a machine called web already');
    expect(await project.fails(2, 'clone', 'db', 'try')).toContain('no machine is called db');
    expect(await project.fails(2, 'clone', 'web')).toContain("missing required argument 'name'");
    await project.write(
      'Machinefile',
      `${machinefile(STEPS).replace(' } }', ' }, api: { box: tiny, replicas: 1 } }')}`,
    );
    for (const name of ['api', 'api-1', 'api-4']) {
      expect(await project.fails(2, 'clone', 'web', name)).toContain(`${name} is a name of the Machinefile`);
    }
    expect(await shown(project)).toEqual(['web stopped', 'api-1 not_created']);
  });

  test('machines', async () => {
    await using project = await projectWith(STEPS);
    await project.ok('up');
    await project.ok('suspend');
    expect(await project.fails(1, 'clone', 'web', 'try')).toContain('vm resume web, and clone it then');
    await project.ok('resume');
    await project.write('Machinefile', machinefile(`${STEPS}, volumes: ["pgdata:/srv"]`));
    expect(await project.fails(1, 'clone', 'web', 'try')).toContain('can have its volume pgdata');
    await project.write('Machinefile', machinefile(`${STEPS}, disks: [{ name: data, size: 1MiB, format: raw }]`));
    expect(await project.fails(1, 'clone', 'web', 'try')).toContain('its disk data is raw, which nothing can stand on');
    await project.write('Machinefile', machinefile(STEPS));
    await project.ok('snapshot', 'save', 'web', '--no-memory');
    const refused = await project.fails(1, 'clone', 'web', 'try');
    expect(refused).toContain('its disks stand on its snapshots');
    expect(refused).toContain('vm package web makes a box of it');
    expect(await shown(project)).toEqual(['web running']);
  });

  test('boxes, and runs', async () => {
    await using project = await projectWith(STEPS);
    await createImage(join(project.dir, 'disk.qcow2'));
    await project.write('Machinefile', 'machines: { web: { box: ./disk.qcow2 } }\n');
    await project.ok('up');
    expect(await project.fails(1, 'clone', 'web', 'try')).toContain('keeps who a machine is on its disk');
    await project.ok('run', '--detach', '--name', 'once', 'tiny');
    expect(await project.fails(1, 'clone', 'once', 'try')).toContain('it is of vm run');
    await project.ok('destroy', 'once', '--yes');
  });

  test('a layer that is damaged', async () => {
    await using project = await projectWith(STEPS);
    await project.ok('up');
    await project.ok('halt');
    const [, below = ''] = chainOf(project, 'web');
    execFileSync('chmod', ['600', below]);
    const content = readFileSync(below);
    await writeFile(below, 'nothing');
    expect(await project.fails(1, 'clone', 'web', 'try')).toContain('is damaged');
    expect(await shown(project)).toEqual(['web stopped']);
    await writeFile(below, content);
    expect(chainOf(project, 'web')[1], 'its disks were not touched').toBe(below);
  });
});
