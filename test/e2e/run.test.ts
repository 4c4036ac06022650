import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { HostMachineStatus } from '../../src/operations/status.ts';
import { freePort } from '../support/host-ports.ts';
import { testHomeDir } from '../support/paths.ts';
import { runVm, type VmResult } from '../support/run-vm.ts';
import { TestProject } from '../support/test-project.ts';

/** Runs need no project: the folder has none. */
function emptyFolder(files: Readonly<Record<string, string>> = {}): Promise<TestProject> {
  return TestProject.create({ files, env: { FROM_HOST: 'seen' } });
}

const SMALL = ['--memory', '256MiB'];
let count = 0;

/** A name that no other test has. */
function newName(): string {
  return `run-${process.pid}-${count++}`;
}

async function findRun(folder: TestProject, name: string): Promise<HostMachineStatus | undefined> {
  const runs = JSON.parse(await folder.ok('list', '--runs', '--json')) as HostMachineStatus[];
  return runs.find(({ machine }) => machine === name);
}

async function expectNothingLeft(folder: TestProject, name: string): Promise<void> {
  expect(await findRun(folder, name)).toBeUndefined();
  expect(existsSync(join(testHomeDir, 'runs', name))).toBe(false);
  expect(folder.leftovers()).toEqual([]);
}

/** A web server of this host, on loopback. */
async function serveOnHost(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((_request, response) => response.end('from the host\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  return {
    url: `http://10.0.2.2:${port}/`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

test('--rm: input, folder, variables and output; the exit code is that of the command; nothing is left', async () => {
  await using folder = await emptyFolder({ 'data/file': 'copied\n' });
  const name = newName();
  const script = 'cat; echo "$A $FROM_HOST"; cat file; pwd; hostname; exit 7';
  const options = ['-e', 'A=$1 b', '-e', 'FROM_HOST', '-v', './data:/srv/data', '-w', '/srv/data', '--name', name];
  const args = ['run', '-i', '--rm', ...SMALL, ...options, 'tiny', '--', 'sh', '-c', script];
  const result = await runVm({ args, cwd: folder.dir, env: folder.env, input: 'hi\n' });
  expect(result).toEqual({
    exitCode: 7,
    signal: null,
    stdout: `hi\n$1 b seen\ncopied\n/srv/data\n${name}\n`,
    stderr: '',
  } satisfies VmResult);
  await expectNothingLeft(folder, name);
});

test('-d: it is left running, with its port, for other commands from anywhere, until it is destroyed', async () => {
  await using folder = await emptyFolder();
  await using host = await serveOnHost();
  const port = await freePort();
  const name = (await folder.ok('run', '-d', ...SMALL, '-p', `${port}:8000`, 'tiny')).trim();
  try {
    expect(name).toMatch(/^tiny-[0-9a-f]{6}$/);
    expect(await findRun(folder, name)).toMatchObject({ state: 'running', ports: [{ host: port, guest: 8000 }] });
    await folder.ok(
      'exec',
      name,
      '--',
      'sh',
      '-c',
      'mkdir /srv/www; echo served > /srv/www/page; httpd -p 8000 -h /srv/www',
    );
    expect(await (await fetch(`http://127.0.0.1:${port}/page`)).text()).toBe('served\n');
    // What an isolated guest cannot do, see below.
    expect(await folder.ok('exec', name, '--', 'wget', '-q', '-O-', host.url)).toBe('from the host\n');
  } finally {
    await folder.ok('destroy', name, '--yes');
  }
  await expectNothingLeft(folder, name);
});

test('--no-network: vm gets in, and nobody is reached from inside, also after a restart', async () => {
  await using folder = await emptyFolder();
  await using host = await serveOnHost();
  const name = newName();
  const reach = ['wget', '-q', '-O-', host.url];
  try {
    const first = await folder.vm('run', '--no-network', ...SMALL, '--name', name, 'tiny', '--', ...reach);
    expect(first).toMatchObject({ exitCode: 1, stdout: '' });
    expect(await findRun(folder, name)).toMatchObject({ state: 'stopped' });
    await folder.ok('up', name);
    expect(await folder.ok('exec', name, '--', 'hostname')).toBe(`${name}\n`);
    expect(await folder.vm('exec', name, '--', ...reach)).toMatchObject({ exitCode: 1, stdout: '' });
  } finally {
    await folder.ok('destroy', name, '--yes');
  }
  await expectNothingLeft(folder, name);
});

test('two at once, one of them ended by a signal in the guest', async () => {
  await using folder = await emptyFolder();
  const run = (script: string) => folder.vm('run', '--rm', ...SMALL, 'tiny', '--', 'sh', '-c', script);
  const [one, other] = await Promise.all([run('hostname'), run('hostname; kill -9 $$')]);
  expect([one.exitCode, other.exitCode]).toEqual([0, 137]);
  expect(one.stdout).toMatch(/^tiny-[0-9a-f]{6}\n$/);
  expect(other.stdout).toMatch(/^tiny-[0-9a-f]{6}\n$/);
  expect(one.stdout).not.toBe(other.stdout);
  await expectNothingLeft(folder, one.stdout.trim());
  await expectNothingLeft(folder, other.stdout.trim());
});

test('interrupted, and killed: what --rm made goes, at once or with the next command', async () => {
  await using folder = await emptyFolder();
  const names = [newName(), newName()];
  const [interrupted, killed] = names.map((name) =>
    folder.start('run', '--rm', ...SMALL, '--name', name, 'tiny', '--', 'sh', '-c', 'echo begun; sleep 1000'),
  );
  if (interrupted === undefined || killed === undefined) throw new Error('two were started');
  const begun = [interrupted, killed].map(({ child }) => new Promise((resolve) => child.stdout?.once('data', resolve)));
  await Promise.all(begun);
  const [first = '', second = ''] = names;
  interrupted.child.kill('SIGINT');
  expect(await interrupted.ended).toMatchObject({ exitCode: 130, stdout: 'begun\n' });
  expect(await findRun(folder, first)).toBeUndefined();

  killed.child.kill('SIGKILL');
  await new Promise((resolve) => killed.child.once('exit', resolve));
  expect(await findRun(folder, second)).toMatchObject({ state: 'running' });
  await using other = await TestProject.create({ files: { Machinefile: 'machines: { m: { box: tiny } }\n' } });
  await other.ok('destroy', '--yes');
  await expectNothingLeft(folder, second);
});
