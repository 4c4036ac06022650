import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Box } from '../../src/boxes/box.ts';
import { machineLayout } from '../../src/machine/layout.ts';
import { StateStore } from '../../src/machine/state-store.ts';
import type { MachineSpec } from '../../src/machinefile/spec.ts';
import { removeBox } from '../../src/operations/boxes.ts';
import { destroy } from '../../src/operations/destroy.ts';
import { NO_NETWORK } from '../../src/operations/networks/project-networks.ts';
import { buildFromRecipe } from '../../src/operations/packaging/build-recipe.ts';
import { type PackageTarget, packageMachine } from '../../src/operations/packaging/package.ts';
import type { Project } from '../../src/operations/project.ts';
import type { Services } from '../../src/operations/services.ts';
import { copyFirmwareVariables } from '../../src/operations/up/identity.ts';
import { upMachine } from '../../src/operations/up/machine.ts';
import { up } from '../../src/operations/up/up.ts';
import { BOX_METADATA, type Imports, metadataOf, openImports } from '../support/box-imports.ts';
import { FakeGuest, fakeServices } from '../support/fake-services.ts';
import { machineSpec } from '../support/machine-spec.ts';
import { mountTmpfs } from '../support/tmpfs.ts';

const TO_STORE: PackageTarget = { kind: 'store', name: 'team/web', version: '1.0' };

let imports: Imports;
let guest: FakeGuest;
let services: Services;

beforeAll(async () => {
  imports = await openImports();
});

afterAll(() => imports[Symbol.asyncDispose]());

beforeEach(() => {
  guest = new FakeGuest();
  services = fakeServices(imports.homeDir, guest);
});

async function emptyProject(...machines: MachineSpec[]): Promise<Project> {
  const projectDir = await mkdtemp(imports.at('project-'));
  const spec = { name: 'shop', projectDir, machines, groups: [], networks: [], volumes: [] };
  return { projectDir, states: new StateStore(projectDir), spec, activeProfiles: [] };
}

/** A machine on this box that runs, in a project of its own. */
async function runningOn(box: Box, overrides: Partial<MachineSpec> = {}): Promise<Project> {
  const spec = machineSpec({ name: 'web', ...overrides });
  const project = await emptyProject(spec);
  const options = { provision: { kind: 'none' }, recreate: false } as const;
  await upMachine(project, { name: 'web', projectName: 'shop', spec, box, network: NO_NETWORK }, { options, services });
  return project;
}

async function addBox(...args: string[]): Promise<Box> {
  const { key } = await imports.add(...args);
  return services.boxes.get(key);
}

function pack(project: Project, target: PackageTarget, { asIs = false } = {}) {
  return packageMachine(project, { machine: undefined, targetFor: () => target, asIs }, services);
}

async function stateOf({ states }: Project) {
  const record = await states.read('web');
  if (record === undefined) throw new Error('the machine is gone');
  return services.providers.qemu.state({ record, layout: states.layout('web') });
}

test('the copy is powered off by the connection that is open: no other is let in any more', async () => {
  const project = await runningOn(await addBox('disk.raw'));
  const { result } = await pack(project, TO_STORE);
  expect(result).toMatchObject({ kind: 'store', box: { name: 'team/web', version: '1.0' } });
  expect(guest.scripts.at(-1)).toContain('poweroff');
  expect(await readdir(join(imports.homeDir, 'workshops'))).toEqual([]);
});

test('the copy has the same hardware, and nothing else of the machine', async () => {
  const project = await runningOn(await addBox('disk.raw'), {
    display: 'gtk',
    qemuArgs: ['-drive', 'file=/srv/data.qcow2'],
  });
  await pack(project, TO_STORE);
  const [machine, copy] = guest.started;
  expect(copy?.macAddress).toBe(machine?.macAddress);
  expect(copy?.id).not.toBe(machine?.id);
  expect([machine?.isIsolated, copy?.isIsolated]).toEqual([false, true]);
  // A screen moves the other devices on the bus, by whose places guests name them.
  expect(copy?.spec).toMatchObject({ display: 'vnc', qemuArgs: [] });
});

test('a copy that does not boot leaves no hint at removing the machine', async () => {
  const project = await runningOn(await addBox('disk.raw'));
  guest.boots = false;
  const failure = pack(project, TO_STORE);
  await expect(failure).rejects.toThrow('the kernel of the guest panicked');
  await expect(failure).rejects.not.toMatchObject({ hint: expect.stringContaining('vm destroy') });
  await expect(failure).rejects.toMatchObject({ hint: expect.stringContaining('--as-is') });
  expect(await stateOf(project)).toEqual({ kind: 'stopped' });
});

test('what cannot be packaged is refused before the machine is halted', async () => {
  await imports.makeBox('two.box', { 'metadata.json': metadataOf('a.img', 'b.img') }, ['a.img', 'b.img']);
  const project = await runningOn(await addBox('two.box'));
  const vmdk = { kind: 'file', format: 'vmdk', path: imports.at('web.vmdk') } as const;
  await expect(pack(project, vmdk)).rejects.toThrow('a vmdk image holds one disk, and this machine has 2');
  await expect(pack(project, TO_STORE, { asIs: true })).rejects.toThrow(/no machine of its box could be entered/);
  expect(await stateOf(project)).toMatchObject({ kind: 'running' });
});

test.skipIf(process.getuid?.() !== 0)('a disk that is full while the copy gets its keys is told as such', async () => {
  await using full = await mountTmpfs('4k');
  await writeFile(join(full.dir, 'other'), Buffer.alloc(4096));
  const from = machineLayout(imports.at('.'));
  await writeFile(from.nvramPath, Buffer.alloc(8192));
  const copying = copyFirmwareVariables(from, machineLayout(full.dir));
  await expect(copying).rejects.toThrow(/^cannot write .*nvram\.qcow2: the disk is full$/);
});

test('a box and one that was made of its machine can have one name, and be removed by it', async () => {
  const box = await addBox('disk.raw', '--name', 'team/twice');
  const project = await runningOn(box);
  await pack(project, { ...TO_STORE, name: 'team/twice' });
  await expect(removeBox('team/twice', services)).rejects.toThrow('the box team/twice is in use by web in');
  await destroy(project, [], { removesVolumes: false, services });
  const removed = await removeBox('team/twice', services);
  expect(removed.map(({ box: { version } }) => version)).toEqual(['1.0', '0']);
  expect((await services.boxes.list()).filter(({ box: { name } }) => name === 'team/twice')).toEqual([]);
});

describe('cloud_init is refused where nobody would read it', () => {
  const cloudInit = { userData: '#cloud-config\n', networkConfig: undefined };

  test('in a recipe on a box without cloud-init', async () => {
    await imports.makeBox('one.box', { 'metadata.json': BOX_METADATA });
    const { name } = await imports.add('one.box', '--name', 'team/one');
    const box = { kind: 'name', name, version: undefined } as const;
    const recipe = { name: 'team/app', version: '1', box, machine: machineSpec({ name: 'app', cloudInit }) };
    const building = buildFromRecipe({ recipe, file: './app.yaml', force: false }, services);
    await expect(building).rejects.toThrow('app: the box team/one has no cloud-init, so “cloud_init” would do nothing');
  });

  test('for a machine that is installed by hand', async () => {
    const project = await emptyProject(machineSpec({ box: undefined, cloudInit }));
    await expect(bringUp(project)).rejects.toThrow('web: it has no box, so “cloud_init” would do nothing');
    await expect(project.states.exists()).resolves.toBe(false);
  });
});

test.each([
  ['up', (project: Project) => bringUp(project)],
  ['destroy', (project: Project) => destroy(project, [], { removesVolumes: false, services })],
])('%s clears the workshops of killed processes, whose machines hold the disks of others', async (_name, command) => {
  const workshops = join(imports.homeDir, 'workshops');
  await mkdir(join(workshops, `${2 ** 22 + 1}.1-abcd`), { recursive: true });
  await command(await emptyProject());
  expect(await readdir(workshops)).toEqual([]);
});

function bringUp(project: Project) {
  const options = { provision: { kind: 'none' }, recreate: false } as const;
  return up(project, { lock: 'keep', patterns: [], withDependencies: true, options, parallel: 1 }, services);
}
