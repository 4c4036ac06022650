import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createImage } from '../support/images.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

/** Ports that no other test forwards. */
const HOST_PORTS = '18471-18473';

function machinefile(replicas: number, hostPorts = HOST_PORTS): string {
  return [
    'defaults: { box: ./disk.qcow2 }',
    'machines:',
    `  web: { replicas: ${replicas}, ports: ["${hostPorts}:80"], hooks: { before_destroy: ./back-up.sh } }`,
    '  db: { autostart: false }',
  ].join('\n');
}

const BACK_UP = '#!/bin/sh\n[ ! -e full ] || exit 7\necho "$VM_MACHINE" >>backed-up\n';

async function projectOf(replicas: number): Promise<TestProject> {
  const project = await TestProject.create({
    files: { Machinefile: machinefile(replicas) },
    tools: [tools.qemuImg, ...tools.fakeGuest],
  });
  await createImage(join(project.dir, 'disk.qcow2'));
  await project.write('back-up.sh', BACK_UP, 0o755);
  return project;
}

/** Each machine with its state and its forwarded host ports. */
async function shown(project: TestProject): Promise<string[]> {
  const machines: { machine: string; state: string; ports: { host: number }[] }[] = JSON.parse(
    await project.ok('status', '--json'),
  );
  return machines.map(({ machine, state, ports }) => [machine, state, ...ports.map(({ host }) => host)].join(' '));
}

const rememberedIn = ({ dir }: TestProject) => join(dir, '.vm/scale.json');

test('more, and fewer again, as every later command sees them', async () => {
  await using project = await projectOf(1);
  expect(await project.fails(2, 'scale', 'web=4')).toContain(
    'Machinefile:3:31: 3 host ports are not enough for 4 repl',
  );
  expect(existsSync(join(project.dir, '.vm')), 'nothing was changed').toBe(false);

  expect(await project.ok('scale', 'web=3')).toMatch(
    /^web-1 is up: .*\nweb-2 is up: .*\nweb-3 is up: vm ssh web-3; ports/,
  );
  const all = ['web-1 running 18471', 'web-2 running 18472', 'web-3 running 18473', 'db not_created'];
  expect(await shown(project)).toEqual(all);
  expect(JSON.parse(await readFile(rememberedIn(project), 'utf8'))).toEqual({
    format: 1,
    machines: { web: { replicas: 3, declared: 1 } },
  });
  expect(await project.fails(2, 'ssh', 'web')).toContain('which machine? web-1, web-2, web-3');
  expect((await project.ok('halt', 'web')).split('\n')).toContain('web-2 is stopped');

  const asked = 'Destroy web-3, web-2? What is on the disks is lost. There is no terminal to ask on';
  expect(await project.fails(2, 'scale', 'web=1')).toContain(asked);
  expect(await shown(project)).toContain('web-3 stopped 18473');
  const lines = (await project.ok('scale', 'web=1', '--yes', '--json')).trimEnd().split('\n');
  const result = JSON.parse(lines.at(-1) ?? '');
  expect(result).toMatchObject({ machines: [{ machine: 'web-1' }], destroyed: ['web-3', 'web-2'] });
  expect(await readFile(join(project.dir, 'backed-up'), 'utf8')).toBe('web-3\nweb-2\n');
  expect(existsSync(rememberedIn(project)), 'it is what the Machinefile says').toBe(false);
});

test('none at all, until the last machine is destroyed', async () => {
  await using project = await projectOf(1);
  expect(await project.ok('scale', 'web=0')).toBe('');
  expect(await shown(project)).toEqual(['db not_created']);
  expect(await project.ok('up', 'web')).toBe('');
  expect(await project.fails(2, 'ssh', 'web')).toContain('web has no replicas\n→ vm scale web=1 makes one');
  expect(await project.ok('destroy')).toBe('nothing to destroy\n');
  expect(project.leftovers()).toEqual([]);
  expect(await shown(project)).toEqual(['web-1 not_created', 'db not_created']);
});

test('a scale that was killed, or did not get through, is told of and finished', async () => {
  await using project = await projectOf(2);
  // As it is left by one that was killed after it had remembered.
  await project.ok('up');
  await project.write('.vm/scale.json', '{ "format": 1, "machines": { "web": { "replicas": 1, "declared": 2 } } }');
  const warning = 'warning: web-2: exists beyond replicas: 1; vm scale web=1 or vm destroy web-2 removes it\n';
  expect((await project.vm('up')).stderr).toContain(warning);
  expect(await shown(project)).toEqual(['web-1 running 18471', 'db not_created', 'web-2 running 18472']);

  // A hook that fails keeps the machine; it is not forgotten because fewer are wanted by now.
  await project.write('full', '');
  expect(await project.fails(1, 'scale', 'web=1', '--yes')).toContain('web-2 was not destroyed');
  await rm(join(project.dir, 'full'));
  for (const name of ['creating-web-4', 'destroying-web-3']) await project.write(`.vm/machines/.${name}/disk`, '');
  expect(await project.ok('scale', 'web=1', '--yes')).toMatch(/\nweb-2 destroyed\n$/);
  expect(await readdir(join(project.dir, '.vm/machines'))).toEqual(['web-1']);

  // A Machinefile that was edited counts, and what was said before is dropped.
  await project.write('Machinefile', machinefile(0));
  expect((await project.vm('up')).stderr).toContain('warning: web-1: exists beyond replicas: 0; vm scale web=0 or');
  expect(await project.ok('halt', 'web')).toBe('web-1 is stopped\n');
  await rm(join(project.dir, 'Machinefile'));
  expect(await project.ok('destroy', 'web', '--yes'), 'without the Machinefile').toBe('web-1 destroyed\n');
  expect(project.leftovers()).toEqual([]);
});

test('what was remembered and does not fit any more', async () => {
  await using project = await projectOf(2);
  const scaled = '{ "format": 1, "machines": { "web": { "replicas": 3, "declared": 2 } } }';
  await project.write('.vm/scale.json', scaled);
  await project.write('Machinefile', machinefile(2, '18471-18472'));
  expect(await project.fails(2, 'up')).toContain('2 host ports are not enough for 3 replicas');
  expect(await project.fails(2, 'scale', 'web=1', 'wbe=1')).toContain('no machine is called wbe');
  await project.write('.vm/scale.json', scaled.slice(9));
  const damaged = await project.fails(1, 'up');
  expect(damaged).toContain(`vm: ${rememberedIn(project)}, which has the numbers of replicas that vm scale was given,`);
  expect(damaged).toContain('→ remove it: the numbers in the Machinefile apply then');
  await project.write('.vm/machines/.destroying-web-3/disk', '');
  expect(await project.ok('destroy')).toBe('nothing to destroy\n');
  expect(project.leftovers()).toEqual([]);
});
