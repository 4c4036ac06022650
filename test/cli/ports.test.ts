import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort, readAll, takePort } from '../support/host-ports.ts';
import { createImage } from '../support/images.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

/** A project with these machines, as lines of YAML, whose guests are fakes. */
async function projectOf(
  machines: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<TestProject> {
  const files = { Machinefile: machinefile(...machines) };
  const project = await TestProject.create({ files, env, tools: [tools.qemuImg, ...tools.fakeGuest] });
  await createImage(join(project.dir, 'disk.qcow2'));
  return project;
}

function machinefile(...machines: readonly string[]): string {
  return ['defaults: { box: ./disk.qcow2 }', 'machines:', ...machines.map((line) => `  ${line}`), ''].join('\n');
}

/** The last line of a command with `--json`. */
async function resultOf(project: TestProject, ...args: readonly string[]) {
  const output = await project.ok('--json', ...args);
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
}

/** The forwards but SSH's: `8080:80/tcp`. */
async function portsOf(project: TestProject, machine: string): Promise<string[]> {
  const { ports } = await project.status(machine);
  return ports.map(({ host, guest, protocol }) => `${host}:${guest}/${protocol}`);
}

test('ports come and go while the machine runs: by hand, and by the Machinefile', async () => {
  await using project = await projectOf(['web: { ports: ["80"] }']);
  await using taken = await takePort();
  await project.ok('up');
  const { pid, ports } = await project.status('web');
  const own = ports[0]?.host;

  const port = await freePort();
  expect(await project.ok('port', 'add', 'web', `${port}:8000`)).toBe(`127.0.0.1:${port} → 8000\n`);
  expect(await readAll(port)).toBe('8000');
  expect(await project.ok('port', 'add', 'web', `${port}:8000`)).toBe(`127.0.0.1:${port} → 8000\n`);
  const { ports: chosen } = await resultOf(project, 'port', 'add', 'web', '53/udp');
  expect(chosen).toEqual([{ host_ip: '127.0.0.1', host: expect.any(Number), guest: 53, protocol: 'udp', added: true }]);
  const added = [`${port}:8000/tcp`, `${chosen[0].host}:53/udp`];
  expect(await portsOf(project, 'web')).toEqual([`${own}:80/tcp`, ...added]);

  const error = await project.fails(1, 'port', 'add', 'web', '81', `${taken.port}:82`);
  expect(error).toMatch(
    new RegExp(
      `^vm: host port ${taken.port} is already in use by .+ \\(pid ${process.pid}\\)\\n→ choose another host port`,
    ),
  );
  expect(await project.fails(1, 'port', 'add', 'web', `${port}:8001`)).toContain(
    `host port ${port} is web's already: 127.0.0.1:${port} → 8000`,
  );
  expect(await project.fails(1, 'port', 'remove', 'web', String(own))).toContain(
    "80 of web is the Machinefile's\n→ take",
  );
  expect(await portsOf(project, 'web')).toEqual([`${own}:80/tcp`, ...added]);

  const edited = await freePort();
  await project.write('Machinefile', machinefile(`web: { ports: ["80", "${edited}:8080"] }`));
  const up = await project.vm('up');
  expect(up).toMatchObject({ exitCode: 0, stderr: `web: port 127.0.0.1:${edited} → 8080 is open\n` });
  expect(await readAll(edited)).toBe('8080');
  expect(await portsOf(project, 'web')).toEqual([`${own}:80/tcp`, `${edited}:8080/tcp`, ...added]);
  await project.write('Machinefile', machinefile(`web: { ports: ["80", "${taken.port}:8080"] }`));
  expect(await project.fails(1, 'up')).toContain('web wants it: choose another host port, leave it away, or set');
  expect(await readAll(edited)).toBe('8080');

  await project.write('Machinefile', 'machines: [this is not it');
  await project.ok('port', 'remove', 'web', String(port), '53/udp');
  expect(await readAll(port)).toBe('ECONNREFUSED');
  expect(await portsOf(project, 'web')).toEqual([`${own}:80/tcp`, `${edited}:8080/tcp`]);
  expect((await project.status('web')).pid).toBe(pid);
});

test('ports of a stopped machine are opened by its start; of two that want one the other is told who has it', async () => {
  await using project = await projectOf(['web: {}', 'db: {}']);
  const port = await freePort();
  expect(await project.fails(1, 'port', 'add', 'web', `${port}:80`)).toContain('web is not created\n→ vm up web');
  await project.ok('up');
  await project.ok('halt');
  // Both find the port free: neither runs.
  const outcomes = await Promise.all([
    project.vm('port', 'add', 'web', `${port}:80`),
    project.vm('port', 'add', 'db', `${port}:80`),
  ]);
  const winner = outcomes[0].exitCode === 0 ? 'web' : 'db';
  const loser = winner === 'web' ? 'db' : 'web';
  expect(outcomes.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1]);
  expect(outcomes.map(({ stderr }) => stderr).join('')).toBe(
    `vm: host port ${port} belongs to the machine ${winner} of this project\n` +
      `→ vm port add gave it to ${winner}, vm port remove ${winner} ${port} takes it back\n`,
  );
  await project.write(
    'Machinefile',
    machinefile('web: {}', 'db: {}').replace(`${loser}: {}`, `${loser}: { ports: ["${port}:81"] }`),
  );
  expect(await project.fails(1, 'up', loser)).toContain(`belongs to the machine ${winner} of this project`);
  await project.ok('up', winner);
  expect(await readAll(port)).toBe('80');

  await using other = await projectOf([`web: { ports: ["${port}:80"] }`], { VM_HOME: String(project.env.VM_HOME) });
  expect(await other.fails(1, 'up')).toContain(
    `host port ${port} is already in use by the machine ${winner} in ${project.dir}\n`,
  );
});

test('a port that the Machinefile gives to another running machine moves, whichever comes first', async () => {
  const port = await freePort();
  await using project = await projectOf([`db: { ports: ["${port}:81"] }`, 'web: {}']);
  await project.ok('up');
  await project.write('Machinefile', machinefile('db: {}', `web: { ports: ["${port}:82"] }`));
  expect(await project.fails(1, 'up', 'web')).toContain(
    `host port ${port} is already in use by the machine db of this project\n→ web wants it`,
  );
  expect((await project.vm('up')).stderr).toBe(
    `db: port 127.0.0.1:${port} → 81 is closed\nweb: port 127.0.0.1:${port} → 82 is open\n`,
  );
  expect(await readAll(port)).toBe('82');
});

test('up, killed while it changes ports: what is open is known, and the next up ends it', async () => {
  const before = await freePort();
  await using project = await projectOf([`web: { ports: ["${before}:80"] }`]);
  await project.ok('up');
  const { pid } = await project.status('web');
  const after = await freePort();
  await project.write('Machinefile', machinefile(`web: { ports: ["${after}:80"] }`));
  process.kill(pid ?? 0, 'SIGSTOP');
  const up = project.start('up');
  const recordPath = join(project.dir, '.vm/machines/web/record.json');
  await expect.poll(() => readFile(recordPath, 'utf8'), { timeout: 20_000 }).toContain(String(after));
  up.child.kill('SIGKILL');
  await up.ended;
  process.kill(pid ?? 0, 'SIGCONT');
  expect(await portsOf(project, 'web')).toEqual([`${after}:80/tcp`, `${before}:80/tcp`]);
  await project.ok('up');
  expect(await portsOf(project, 'web')).toEqual([`${after}:80/tcp`]);
  expect([await readAll(before), await readAll(after)]).toEqual(['ECONNREFUSED', '80']);
});
