import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createImage } from '../support/images.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

/** A project with these machines, as lines of YAML, whose guests are fakes. */
async function projectOf(...machines: readonly string[]): Promise<TestProject> {
  const Machinefile = ['defaults: { box: ./disk.qcow2 }', 'machines:', ...machines.map((line) => `  ${line}`)].join(
    '\n',
  );
  const project = await TestProject.create({ files: { Machinefile }, tools: [tools.qemuImg, ...tools.fakeGuest] });
  await createImage(join(project.dir, 'disk.qcow2'));
  return project;
}

/** Runs a command with `--json`, and gives its phases in their order: `web boot done`. */
async function phasesOf(project: TestProject, ...args: readonly string[]): Promise<string[]> {
  const { stdout } = await project.vm('--json', ...args);
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return events.flatMap(({ type, subject, phase, status }) =>
    type === 'phase' ? [`${subject} ${phase} ${status}`] : [],
  );
}

async function statesOf(project: TestProject): Promise<Record<string, string>> {
  const machines = JSON.parse(await project.ok('status', '--json', '--no-health'));
  return Object.fromEntries(machines.map(({ machine, state }: Record<string, string>) => [machine, state]));
}

function expectOrder(phases: readonly string[], ...expected: readonly string[]): void {
  expect(phases.filter((phase) => expected.includes(phase))).toEqual(expected);
}

const HEALTHY = 'healthcheck: { command: "true" }';
const UNHEALTHY = 'healthcheck: { command: [guest-exits-3], retries: 1 }';

test('up goes from what is depended on to what depends on it, halt the other way', async () => {
  await using project = await projectOf(
    'lb: { depends_on: { web: provisioned } }',
    'web: { depends_on: { db: healthy }, provision: [{ name: app, shell: id }] }',
    `db: { ${HEALTHY}, autostart: false }`,
  );
  expectOrder(
    await phasesOf(project, 'up'),
    'db boot done',
    'db health done',
    'web create started',
    'web provision app done',
    'lb create started',
    'lb boot done',
  );
  expect(await project.ok('status')).toMatch(/^lb +running .*\nweb +running .*\ndb +running \(healthy\) /m);
  expect(await project.ok('status', '--no-health')).toMatch(/^db +running {2}/m);
  expectOrder(
    await phasesOf(project, 'halt'),
    'lb halt started',
    'lb halt done',
    'web halt started',
    'web halt done',
    'db halt started',
    'db halt done',
  );
});

test('a machine that is named brings what it depends on, which is neither made anew nor asked of otherwise', async () => {
  await using project = await projectOf('db: { provision: [{ shell: id }] }', 'web: { depends_on: [db] }', 'mail: {}');
  expect(await project.ok('up', 'web', '--dry-run')).toMatch(/^# db$[^#]*^# web$/m);
  expect(await project.ok('up', 'web', '--dry-run', '--no-deps')).toMatch(/^# web$/m);
  await project.ok('up', 'web', '--no-deps');
  expect(await statesOf(project)).toEqual({ db: 'not_created', web: 'running', mail: 'not_created' });
  await project.ok('up', 'web');
  expect(await statesOf(project)).toEqual({ db: 'running', web: 'running', mail: 'not_created' });
  const [db, web] = [await project.status('db'), await project.status('web')];
  const phases = await phasesOf(project, 'up', 'web', '--recreate', '--provision', '--yes');
  expect(phases.filter((phase) => phase.startsWith('db '))).toEqual([]);
  expect((await project.status('db')).pid).toBe(db.pid);
  expect((await project.status('web')).pid).not.toBe(web.pid);
});

test('one that fails stops only what depends on it, and the end says what was skipped for it', async () => {
  await using project = await projectOf(
    `db: { ${UNHEALTHY} }`,
    'web: { depends_on: { db: healthy } }',
    'lb: { depends_on: [web] }',
    'log: { depends_on: { db: provisioned } }',
    'mail: {}',
  );
  const error = await project.fails(1, 'up');
  expect(error).toMatch(/^✖ db: health failed /m);
  expect(error).toContain('warning: web: skipped, because db failed\nwarning: lb: skipped, because db failed\n');
  expect(error).toContain(
    'vm: db is not healthy: its health check failed (exit code 3)\n  hello from the guest\n→ db is left running: vm ssh db',
  );
  expect(error).toMatch(/\nvm: 1 machine failed: db; 2 skipped: web \(needs db\), lb \(needs db\)\n$/);
  expect(await statesOf(project)).toEqual({
    db: 'running',
    web: 'not_created',
    lb: 'not_created',
    log: 'running',
    mail: 'running',
  });
  expect((await project.status('db')).health).toBe('starting');
});

test('a machine that nobody waits for is not checked by up, unless it is asked to wait', async () => {
  await using project = await projectOf(`m: { ${UNHEALTHY} }`);
  await project.ok('up');
  expect(await project.fails(1, 'up', '--wait')).toContain('m is not healthy');
});

test('a circle is a mistake in the Machinefile, and nothing is made', async () => {
  await using project = await projectOf('web: { depends_on: [db] }', 'db: { depends_on: { web: started } }');
  expect(await project.fails(2, 'up')).toMatch(/^Machinefile:4:\d+: machines wait for each other: web → db → web$/m);
  expect(project.leftovers()).toEqual([]);
});
