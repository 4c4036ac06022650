import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, readdir, readFile, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { killWhen } from '../support/kill-when.ts';
import { makeOwnHome, type OwnHome } from '../support/own-home.ts';
import type { RunningVm } from '../support/run-vm.ts';
import { TestProject } from '../support/test-project.ts';
import { mountTmpfs } from '../support/tmpfs.ts';

const STEPS = `- { name: one, shell: "echo one >> /root/log; echo printed by one" }
- { name: two, shell: "echo two >> /root/log" }
- { name: each time, run: always, shell: "echo always >> /root/log" }
`;

function machinefile(steps: string, name = 'm'): string {
  return `machines:
  ${name}:
    box: tiny
    memory: 256MiB
    provision:
${steps.replace(/^/gm, '      ').trimEnd()}
`;
}

function projectIn(home: OwnHome, text: string, dir?: string): Promise<TestProject> {
  const files = { Machinefile: text };
  return TestProject.create({ files, env: { VM_HOME: home.dir }, ...(dir !== undefined && { dir }) });
}

interface UpResult {
  readonly machines: readonly { readonly steps: readonly { readonly step: string; readonly state: string }[] }[];
}

/** `up` of one machine; what became of its steps. */
async function up(project: TestProject, ...options: string[]): Promise<string[]> {
  const lines = (await project.ok('up', '--json', ...options)).trim().split('\n');
  const result = lines.map((line) => JSON.parse(line)).find(({ type }) => type === 'result') as UpResult;
  return result.machines[0]?.steps.map(({ step, state }) => `${step}: ${state}`) ?? [];
}

const log = async (project: TestProject) =>
  (await project.ok('exec', 'm', '--', 'cat', '/root/log')).trim().split('\n');

/** How often a step printed its words, as `up --json` tells. */
const timesPrinted = (stdout: string, words: string) => stdout.split(`"line":"${words}"`).length - 1;

interface CachedLayer {
  readonly layer: string;
  readonly step: string | null;
  readonly flat_of: string | null;
  readonly machines: readonly unknown[];
}

async function layers(project: TestProject): Promise<CachedLayer[]> {
  return (JSON.parse(await project.ok('cache', 'list', '--json')) as { layers: CachedLayer[] }).layers;
}

test('what a step has done is not done again, in this project or another, until something of it changes', async () => {
  await using home = await makeOwnHome();
  await using project = await projectIn(home, machinefile(STEPS));
  expect(await up(project)).toEqual(['one: run', 'two: run', 'each time: run']);
  expect((await layers(project)).map(({ step }) => step)).toEqual(['two', 'one', null]);
  const [, one] = await layers(project);
  expect(await project.ok('cache', 'info', one?.layer ?? '', '--output')).toBe('printed by one\n');
  await project.ok('destroy', '--yes');
  expect(await project.ok('plan')).toContain('cached');

  expect(await up(project)).toEqual(['one: cached', 'two: cached', 'each time: run']);
  expect(await log(project)).toEqual(['one', 'two', 'always']);
  await project.ok('halt');
  expect(await up(project)).toEqual(['one: done', 'two: done', 'each time: run']);
  await project.ok('destroy', '--yes');

  await using other = await projectIn(home, machinefile(STEPS.replace('echo two', 'echo 2')));
  expect(await up(other)).toEqual(['one: cached', 'two: run', 'each time: run']);
  expect(await log(other)).toEqual(['one', '2', 'always']);
  expect(await up(other, '--recreate', '--no-cache', '--yes')).toEqual(['one: run', 'two: run', 'each time: run']);
});

test('what a failed step left, or somebody did by hand, is in no other machine', async () => {
  await using home = await makeOwnHome();
  const steps = '- { name: fails, shell: "echo tried >> /root/log; test -e /root/cured" }\n';
  await using project = await projectIn(home, machinefile(steps));
  await project.fails(1, 'up');
  expect((await layers(project)).map(({ step }) => step)).toEqual([null]);
  await project.ok('exec', 'm', '--', 'touch', '/root/cured');
  expect(await up(project)).toEqual(['fails: run']);
  expect((await layers(project)).map(({ step }) => step)).toEqual([null]);
});

test('a layer that is damaged is told of, and made anew', async () => {
  await using home = await makeOwnHome();
  await using project = await projectIn(home, machinefile(STEPS));
  await up(project);
  await project.ok('destroy', '--yes');
  const [two] = await layers(project);
  const diskPath = join(home.dir, 'layers', two?.layer ?? '', 'root.qcow2');
  const bytes = await readFile(diskPath);
  bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1;
  await chmod(diskPath, 0o600);
  await writeFile(diskPath, bytes);
  const result = await project.vm('up');
  expect(result.stderr).toContain('is damaged, and made anew');
  expect(result.exitCode).toBe(0);
  expect(await log(project)).toEqual(['one', 'two', 'always']);
});

/** Seconds of work are spread over steps, so that a kill meets each of what is done after one. */
const SLOW =
  '- { name: one, shell: "dd if=/dev/urandom of=/root/big bs=1M count=16" }\n- { name: two, shell: "sleep 1" }\n';

/** Waits until a command with `--json` says that a phase begins. */
async function begins({ child, ended }: RunningVm, phase: string): Promise<void> {
  const seen = new Promise<void>((resolve) => {
    let text = '';
    child.stdout?.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes(`"phase":"${phase}","status":"started"`)) resolve();
    });
  });
  await Promise.race([seen, ended]);
}

/** The folder of the only machine. */
const machineDir = ({ dir }: TestProject) => join(dir, '.vm/machines/m');

/** What can be seen of how far the state after the first step is kept, in this order. */
const INSTANTS: Readonly<Record<string, (project: TestProject, home: OwnHome) => boolean>> = {
  'said that it begins': (project) => recordSays(project, 'freezing'),
  'has made the new disk': (project) => newDisks(project) === 2,
  'has frozen the disk': (_project, { dir }) => frozenDisks(dir) === 2,
  'said that it is frozen': (project, { dir }) => frozenDisks(dir) === 2 && recordSays(project, 'unfinishedLayer'),
};

function recordSays(project: TestProject, what: string): boolean {
  const path = join(machineDir(project), 'record.json');
  if (!existsSync(path)) return false;
  const record = JSON.parse(readFileSync(path, 'utf8'));
  return 'one' in record.steps && what in record;
}

/** The disk that is written to, and for a moment the next one. */
function newDisks(project: TestProject): number {
  const dir = machineDir(project);
  return existsSync(dir) ? readdirSync(dir).filter((name) => name.includes('.on-')).length : 0;
}

/** Those of the first boot, and of the first step. */
function frozenDisks(homeDir: string): number {
  const dir = join(homeDir, 'layers');
  return existsSync(dir) ? readdirSync(dir).filter((id) => existsSync(join(dir, id, 'root.qcow2'))).length : 0;
}

test.each(Object.keys(INSTANTS))(
  'up, killed when it %s: the next up goes on, and what is kept is whole',
  async (instant) => {
    await using home = await makeOwnHome();
    await using project = await projectIn(home, machinefile(SLOW));
    await killWhen(project.start('up'), () => INSTANTS[instant]?.(project, home) ?? false);
    await project.ok('up');
    await project.ok('exec', 'm', '--', 'sh', '-c', 'test $(wc -c < /root/big) -eq 16777216 && md5sum /root/big');
    await project.ok('halt');
    await project.ok('up');
    await project.ok('exec', 'm', '--', 'md5sum', '/root/big');
    await project.ok('destroy', '--yes');
    await project.ok('cache', 'verify');
    await project.ok('up');
    await project.ok('destroy', '--yes');
    await project.ok('cache', 'prune', '--all', '--yes');
    expect(await readdir(join(home.dir, 'layers'))).toEqual([]);
  },
);

test('a disk that becomes full: no state is kept then, nothing is lost, and up goes on when there is room', async () => {
  await using tmpfs = await mountTmpfs('96m');
  await using home = await makeOwnHome(tmpfs.dir);
  await using project = await projectIn(home, machinefile(SLOW), join(tmpfs.dir, 'project'));
  const running = project.start('up', '--json');
  await begins(running, 'provision two');
  const { blocks, bfree, bsize } = await statfs(tmpfs.dir);
  await tmpfs.resize(`${((blocks - bfree) * bsize) / 1024}k`);
  expect((await running.ended).stdout).toMatch(/not kept for other machines|the disk is full/);
  await tmpfs.resize('96m');
  await project.ok('up');
  await project.ok('exec', 'm', '--', 'sh', '-c', 'test $(wc -c < /root/big) -eq 16777216');
  expect((await layers(project)).map(({ step }) => step)).not.toContain('two');
  await project.ok('cache', 'verify');
});

test('two machines that begin alike come up at once', async () => {
  await using home = await makeOwnHome();
  await using first = await projectIn(home, machinefile(STEPS));
  await using second = await projectIn(home, machinefile(STEPS));
  await Promise.all([up(first), up(second)]);
  for (const project of [first, second]) expect(await log(project)).toEqual(['one', 'two', 'always']);
  await first.ok('destroy', '--yes');
  await second.ok('destroy', '--yes');
  expect(await up(second)).toEqual(['one: cached', 'two: cached', 'each time: run']);
});

test('replicas do together only what is not kept: one leads, the others begin with its layers', async () => {
  await using home = await makeOwnHome();
  const meet =
    '- { name: meet, run: always, shell: "for n in 1 2 3; do until ping -c 1 -w 1 m-$n; do :; done; done" }\n';
  const text = machinefile(STEPS + meet).replace('memory:', 'replicas: 3\n    memory:');
  await using project = await projectIn(home, text);
  const events = await project.ok('up', '--json', '--parallel', '3');
  expect(timesPrinted(events, 'printed by one')).toBe(1);
  expect(events.match(/which makes the layers that it begins with/g)).toHaveLength(2);
  for (const name of ['m-1', 'm-2', 'm-3']) {
    expect(await project.ok('exec', name, '--', 'cat', '/root/log')).toBe('one\ntwo\nalways\n');
  }
  expect(await layers(project)).toHaveLength(3);
});

test('a leader that is killed: who waits for it goes on from the last layer that is there', async () => {
  await using home = await makeOwnHome();
  const text = machinefile('- { name: one, shell: "echo printed by one" }\n- { name: two, shell: "sleep 5" }\n');
  await using first = await projectIn(home, text);
  await using second = await projectIn(home, text);
  const leader = first.start('up', '--json');
  await begins(leader, 'create');
  const follower = up(second);
  const steps = async () => (await layers(first)).map(({ step }) => step);
  await expect.poll(steps, { timeout: 60_000 }).toEqual(['one', null]);
  leader.child.kill('SIGKILL');
  await leader.ended;
  expect(await follower).toEqual(['one: cached', 'two: run']);
});

test('a halt has a long chain of layers merged, and new machines begin with what comes of it', async () => {
  await using home = await makeOwnHome();
  const numbers = [1, 2, 3, 4, 5, 6, 7, 8];
  const steps = numbers.map((n) => `- { name: step ${n}, shell: "echo ${n} >> /root/log" }\n`).join('');
  await using project = await projectIn(home, machinefile(steps));
  await up(project);
  await project.ok('halt');
  const merged = async () => (await layers(project)).find(({ flat_of }) => flat_of !== null);
  await expect.poll(merged, { timeout: 60_000 }).toMatchObject({ step: 'step 8', machines: [] });

  expect(await up(project)).toEqual(numbers.map((n) => `step ${n}: done`));
  await project.ok('snapshot', 'save', 'm', 'on-many');
  expect(await up(project, '--recreate', '--yes')).toEqual(numbers.map((n) => `step ${n}: cached`));
  expect(await log(project)).toEqual(numbers.map(String));
  const flat = await merged();
  expect(flat?.machines).toHaveLength(1);
  const [info] = JSON.parse(await project.ok('cache', 'info', flat?.layer ?? '', '--json')) as [
    { stands_on: unknown[] },
  ];
  expect(info.stands_on).toEqual([]);
  await project.ok('cache', 'prune', '--all', '--yes');
  expect((await layers(project)).map(({ layer }) => layer)).toEqual([flat?.layer]);
  await project.ok('halt');
  await up(project);
  expect(await log(project)).toEqual(numbers.map(String));
});
