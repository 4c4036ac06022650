import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BoxStore } from '../../src/boxes/store.ts';
import { LayerStore } from '../../src/layers/layer-store.ts';
import { startRegistry } from '../support/docker-registry.ts';
import { documentedHeadings, documentedJson, shapeOf } from '../support/documented-json.ts';
import { storeFakeBox } from '../support/fake-box.ts';
import { createImage } from '../support/images.ts';
import { addLayer, addMachine, keyOf } from '../support/layers.ts';
import { tinies } from '../support/machinefiles.ts';
import { runVm } from '../support/run-vm.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

const MACHINEFILE = `machines:
  web:
    box: ./disk.qcow2
    ports: ["80"]
    networks: [backend]
    sync: [./data:/srv/data]
    volumes: ["pgdata:/var/lib/postgresql"]
    provision: [{ name: nginx, shell: echo hello }]
    healthcheck: { command: 'true' }
networks: { backend: { subnet: 10.10.10.0/24 } }
volumes: { pgdata: { size: 16MiB } }
`;

const compared = new Set<string>();
let project: TestProject;

beforeAll(async () => {
  const files = { 'data/file': 'x', 'plain/Machinefile': 'machines: { web: { box: tiny } }' };
  project = await TestProject.create({ files, tools: [tools.qemuImg, ...tools.decompressors, ...tools.fakeGuest] });
  await createImage(join(project.dir, 'disk.qcow2'));
  await storeFakeBox(String(project.env.VM_HOME), 'tiny');
});

afterAll(() => project[Symbol.asyncDispose]());

/** Runs a command whose standard output must be lines of JSON and nothing else. */
async function jsonOf(args: readonly string[], exitCode = 0): Promise<unknown[]> {
  const result = await project.vm('--json', ...args);
  expect(result, result.stdout + result.stderr).toMatchObject({ exitCode });
  const lines = result.stdout.trimEnd().split('\n');
  return lines.map((line): unknown => JSON.parse(line));
}

/** The shapes of the examples below a heading of docs/json.md. */
function documentedShapes(heading: string): unknown[] {
  compared.add(heading);
  return documentedJson(heading).map(shapeOf);
}

function expectEvents(shapes: readonly unknown[]): void {
  const documented = documentedShapes('Events');
  for (const shape of shapes) expect(documented).toContainEqual(shape);
}

interface Case {
  readonly heading: string;
  readonly args: readonly string[];
}

const telling: readonly Case[] = [
  { heading: 'validate', args: ['validate'] },
  { heading: 'config', args: ['config', '-f', 'plain/Machinefile'] },
  { heading: 'status', args: ['status'] },
  { heading: 'status', args: ['list'] },
  { heading: 'list --all', args: ['list', '--all'] },
  { heading: 'stats --no-stream', args: ['stats', '--no-stream'] },
  { heading: 'usage', args: ['usage'] },
  { heading: 'usage', args: ['usage', '--all'] },
  { heading: 'up --dry-run', args: ['up', '--dry-run'] },
  { heading: 'port', args: ['port'] },
  { heading: 'ssh-config', args: ['ssh-config', 'web'] },
  { heading: 'box list, box info', args: ['box', 'info', 'disk.qcow2'] },
  { heading: 'box list --remote', args: ['box', 'list', '--remote'] },
  { heading: 'box outdated', args: ['box', 'outdated'] },
  { heading: 'doctor', args: ['doctor'] },
  { heading: 'screenshot', args: ['screenshot'] },
  { heading: 'volume list', args: ['volume', 'list'] },
  { heading: 'volume inspect', args: ['volume', 'inspect', 'pgdata'] },
  { heading: 'version', args: ['version'] },
];

const doing: readonly Case[] = [
  { heading: 'up', args: ['reload', '--provision'] },
  { heading: 'provision', args: ['provision'] },
  { heading: 'sync', args: ['sync'] },
  { heading: 'port add', args: ['port', 'add', 'web', '8080'] },
  { heading: 'port add', args: ['port', 'remove', 'web', '8080'] },
  { heading: 'exec', args: ['exec', 'web', '--', 'echo', 'hello'] },
  { heading: 'box add', args: ['box', 'add', 'disk.qcow2', '--name', 'team/router', '--version', '1.2.0'] },
  { heading: 'box update', args: ['box', 'update'] },
  { heading: 'box build', args: ['box', 'build', 'tiny'] },
  { heading: 'box remove', args: ['box', 'remove', 'tiny'] },
  { heading: 'package', args: ['package', 'web', '--as-is', '--output', 'web.qcow2'] },
  { heading: 'suspend', args: ['suspend'] },
  { heading: 'resume', args: ['resume'] },
  { heading: 'halt', args: ['halt'] },
  { heading: 'destroy', args: ['destroy', '--yes'] },
  { heading: 'volume rm', args: ['volume', 'rm', 'pgdata', '--yes'] },
  { heading: 'box remove', args: ['box', 'prune', '--all', '--yes'] },
];

test('init', async () => {
  expect((await jsonOf(['init'])).map(shapeOf)).toEqual(documentedShapes('init'));
  await rm(join(project.dir, 'Machinefile'));
});

describe('while a machine runs', () => {
  beforeAll(() => project.write('Machinefile', MACHINEFILE));

  // First, and the rest in this order: a machine's life.
  test('up --timings: events, then the result, then the timings', async () => {
    const lines = (await jsonOf(['up', '--timings'])).map(shapeOf);
    expect(lines.slice(-2)).toEqual([...documentedShapes('up'), ...documentedShapes('up --timings')]);
    expectEvents(lines.slice(0, -2));
  });

  test.each(telling)('$heading: `$args` prints one document, as documented', async ({ heading, args }) => {
    expect((await jsonOf(args)).map(shapeOf)).toEqual(documentedShapes(heading));
  });

  test('logs', async () => {
    expect((await jsonOf(['logs'])).map(shapeOf)).toEqual(documentedShapes('logs'));
  });

  test('stats', async () => {
    const running = project.start('stats', '--json');
    const line = await new Promise((resolve) => running.child.stdout?.once('data', resolve));
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ exitCode: 130 });
    expect([shapeOf(JSON.parse(String(line)))]).toEqual(documentedShapes('stats'));
  });

  test.each(doing)('$heading: `$args` prints events, then the result, as documented', async ({ heading, args }) => {
    const lines = (await jsonOf(args)).map(shapeOf);
    expect(lines.slice(-1)).toEqual(documentedShapes(heading));
    expectEvents(lines.slice(0, -1));
  });
});

test('plan', async () => {
  const step = '{ name: nginx, shell: { path: ./nginx.sh } }';
  const web = (settings: string) => `machines:\n  web: { box: ./disk.qcow2, ${settings} }\n`;
  await project.write('nginx.sh', 'echo 1');
  await project.write('Machinefile', web(`provision: [${step}, { name: setup, shell: echo }]`));
  await project.ok('up');
  await project.write('nginx.sh', 'echo 2');
  const db = '  db: { box: debian/12, provision: [{ name: postgres, shell: echo }] }\n';
  await project.write('Machinefile', `${web(`memory: 1GiB, provision: [${step}]`)}${db}`);
  expect((await jsonOf(['plan'])).map(shapeOf)).toEqual(documentedShapes('plan'));
  await project.ok('destroy', '--yes');
});

test('scale', async () => {
  await project.write('Machinefile', 'machines: { web: { box: ./disk.qcow2, replicas: 2 } }');
  await project.ok('up');
  const lines = (await jsonOf(['scale', 'web=1', '--yes'])).map(shapeOf);
  expect(lines.slice(-1)).toEqual(documentedShapes('scale'));
  expectEvents(lines.slice(0, -1));
  await project.ok('destroy', '--yes');
});

test('snapshot save, list, restore, delete', async () => {
  await project.write('Machinefile', 'machines: { web: { box: ./disk.qcow2 } }');
  await project.ok('up');
  await project.ok('halt');
  for (const [heading, args] of [
    ['snapshot save', ['snapshot', 'save', 'web', 'one']],
    ['snapshot list', ['snapshot', 'list']],
    ['snapshot restore', ['snapshot', 'restore', 'one', '--yes']],
    ['snapshot restore', ['snapshot', 'pop', '--yes']],
    ['snapshot delete', ['snapshot', 'delete', 'one', '--yes']],
  ] as const) {
    if (heading === 'snapshot list') await project.ok('snapshot', 'push', 'web', '--description', 'upgraded');
    const lines = (await jsonOf(args)).map(shapeOf);
    expect(lines.slice(-1), args.join(' ')).toEqual(documentedShapes(heading));
    expectEvents(lines.slice(0, -1));
  }
  await project.ok('destroy', '--yes');
});

test('run --detach, list --runs', async () => {
  const lines = (await jsonOf(['run', '--detach', '--name', 'once', './disk.qcow2'])).map(shapeOf);
  const listed = await jsonOf(['list', '--runs']);
  await project.ok('destroy', 'once', '--yes');
  expect(lines.slice(-1)).toEqual(documentedShapes('run --detach'));
  expectEvents(lines.slice(0, -1));
  expect(listed).toEqual([[expect.objectContaining({ machine: 'once', state: 'running' })]]);
});

test('cache list, cache info, cache verify, cache flatten, cache prune', async () => {
  const homeDir = String(project.env.VM_HOME);
  const store = new LayerStore(homeDir);
  await storeFakeBox(homeDir, 'tiny');
  const [tiny] = await new BoxStore(homeDir).list();
  const { key: boxKey = '' } = tiny?.box ?? {};
  const base = await addLayer(store, { boxKey });
  const facts = { key: keyOf('a2'), parentKey: base.key, baseId: base.id, boxKey, step: 'nginx', stepFingerprint: 'f' };
  const layer = await addLayer(store, { ...facts, output: 'Setting up nginx\n', createdAt: new Date().toISOString() });
  await addMachine(homeDir, join(project.dir, 'other'), { layer: layer.id });
  await store.begin(keyOf('a3'));
  const [listed] = (await jsonOf(['cache', 'list'])) as [{ layers: unknown[] }];
  listed.layers = listed.layers.slice(0, 1);
  expect(shapeOf(listed)).toEqual(documentedShapes('cache list')[0]);
  for (const [heading, args] of [
    ['cache info', ['cache', 'info', layer.key]],
    ['cache info --output', ['cache', 'info', layer.key, '--output']],
  ] as const) {
    expect((await jsonOf(args)).map(shapeOf)).toEqual(documentedShapes(heading));
  }
  await addLayer(store, { key: keyOf('a4'), boxKey });
  for (const [heading, args] of [
    ['cache verify', ['cache', 'verify']],
    ['cache flatten', ['cache', 'flatten', base.id]],
    ['cache prune', ['cache', 'prune', '--all', '--yes']],
  ] as const) {
    const lines = (await jsonOf(args)).map(shapeOf);
    expect(lines.slice(-1)).toEqual(documentedShapes(heading));
    expectEvents(lines.slice(0, -1));
  }
});

// On the box of the test before.
test('clone', async () => {
  await project.write('Machinefile', 'machines: { web: { box: tiny } }');
  await project.ok('up');
  const lines = (await jsonOf(['clone', 'web', 'web-try'])).map(shapeOf);
  expect(lines.slice(-1)).toEqual(documentedShapes('clone'));
  expectEvents(lines.slice(0, -1));
  await project.ok('destroy', '--yes');
});

test('box push, box pull, box login', async () => {
  await using registry = await startRegistry();
  await project.ok('box', 'add', 'disk.qcow2');
  const url = `oci://${registry.name}/team/app:1`;
  for (const [heading, args] of [
    ['box push', ['box', 'push', 'disk.qcow2', url]],
    ['box add', ['box', 'pull', url]],
  ] as const) {
    const lines = (await jsonOf(args)).map(shapeOf);
    expect(lines.slice(-1)).toEqual(documentedShapes(heading));
    expectEvents(lines.slice(0, -1));
  }
  const login = await runVm({
    args: ['--json', 'box', 'login', registry.name, '--username', 'me', '--password-stdin'],
    cwd: project.dir,
    env: project.env,
    input: 'secret\n',
  });
  expect([shapeOf(JSON.parse(login.stdout))]).toEqual(documentedShapes('box login'));
});

describe('errors', () => {
  test.each([
    { what: 'any', machinefile: tinies('web'), args: ['port'], exitCode: 1, example: 0 },
    { what: 'mistakes', machinefile: 'machines: { web: { cpu_count: 1 } }', args: ['up'], exitCode: 2, example: 1 },
    { what: 'several', machinefile: tinies('db', 'web'), args: ['exec', '*', '--', 'true'], exitCode: 1, example: 2 },
  ])('$what', async ({ machinefile, args, exitCode, example }) => {
    await project.write('Machinefile', machinefile);
    expect((await jsonOf(args, exitCode)).map(shapeOf)).toEqual([documentedShapes('Errors')[example]]);
  });

  test('skipped for a failure', async () => {
    await project.write(
      'Machinefile',
      [
        'defaults: { box: ./disk.qcow2 }',
        'machines:',
        '  db: { healthcheck: { command: guest-exits-3, retries: 1 } }',
        '  web: { depends_on: { db: healthy } }',
      ].join('\n'),
    );
    const lines = (await jsonOf(['up'], 1)).map(shapeOf);
    expect(lines.slice(-1)).toEqual([documentedShapes('Errors')[3]]);
    expectEvents(lines.slice(0, -1));
  });

  test('of the command line', async () => {
    expect(await jsonOf(['up', '--nope'], 2)).toEqual([
      {
        type: 'error',
        error: 'UsageError',
        message: "unknown option '--nope'",
        hint: 'vm help up',
        exit_code: 2,
      },
    ]);
  });
});

test('what a query warns of stays off standard output', async () => {
  await project.write('Machinefile', 'machines: { web: { box: tiny, environment: { A: level-$UNSET } } }');
  const { stdout, stderr } = await project.vm('validate', '--json');
  expect(JSON.parse(stdout)).toEqual({ valid: true, machines: ['web'] });
  expect(stderr).toMatch(/^warning: Machinefile:1:\d+: variable “UNSET” is not set/);
});

test('every example of docs/json.md was compared', () => {
  expect([...compared].sort()).toEqual(documentedHeadings().sort());
});
