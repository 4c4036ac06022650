import { expect, test } from 'vitest';
import { TestProject } from '../support/test-project.ts';

/** Small machines, as lines of YAML. */
function machinefile(...machines: readonly string[]): string {
  return ['defaults: { box: tiny, memory: 256MiB }', 'machines:', ...machines.map((line) => `  ${line}`), ''].join(
    '\n',
  );
}

/** Its service is ready a while after its step has ended. */
const SLOW_DB = [
  'db:',
  '  provision: [{ name: db, shell: "(sleep 3; touch /run/ready) > /dev/null 2>&1 &" }]',
  '  healthcheck: { command: "test -e /run/ready", interval: 500ms, timeout: 30s, retries: 120 }',
];

test('web waits until db is healthy; halt goes the other way; status observes health', async () => {
  const Machinefile = machinefile('web: { depends_on: { db: healthy } }', ...SLOW_DB);
  await using project = await TestProject.create({ files: { Machinefile } });
  const events = (await project.ok('up', 'web', '--json')).split('\n');
  const indexOf = (...words: string[]) => events.findIndex((line) => words.every((word) => line.includes(word)));
  const [failed, healthy] = [indexOf('db', 'health check: exit code 1'), indexOf('db', '"health"', '"done"')];
  expect(failed).toBeGreaterThan(indexOf('db', '"provision db"', '"done"'));
  expect(healthy).toBeGreaterThan(failed);
  expect(indexOf('web', '"create"', '"started"')).toBeGreaterThan(healthy);
  expect(await project.status('db')).toMatchObject({ state: 'running', health: 'healthy' });

  await project.ok('exec', 'db', '--', 'rm', '/run/ready');
  expect((await project.status('db')).health).toBe('starting');
  await project.write('Machinefile', Machinefile.replace('retries: 120', 'retries: 1'));
  expect((await project.status('db')).health).toBe('unhealthy');

  const { stderr } = await project.vm('halt');
  expect(stderr).toMatch(/^✔ web: halt .*\n(?:.*\n)*✔ db: halt /m);
  expect(await project.status('web')).toMatchObject({ state: 'stopped', health: null });
});

test('a step of db that fails: web is skipped, other is not, and the next up goes on', async () => {
  const machines = (step: string) =>
    machinefile(
      `db: { provision: [{ name: db, shell: "${step}" }] }`,
      'web: { depends_on: { db: provisioned } }',
      'other: {}',
    );
  await using project = await TestProject.create({ files: { Machinefile: machines('exit 7') } });
  const error = await project.fails(1, 'up');
  expect(error).toContain('step db failed with exit code 7');
  expect(error).toContain('vm: 1 machine failed: db; 1 skipped: web (needs db)');
  const states = async () => {
    const all = JSON.parse(await project.ok('status', '--json')) as { machine: string; state: string }[];
    return all.map(({ machine, state }) => `${machine} ${state}`);
  };
  expect(await states()).toEqual(['db running', 'web not_created', 'other running']);
  await project.write('Machinefile', machines('true'));
  await project.ok('up');
  expect(await states()).toEqual(['db running', 'web running', 'other running']);
});
