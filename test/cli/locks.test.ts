import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

const runProgram = promisify(execFile);

test('a command that changes a machine says whom it waits for, and goes on when that is done', async () => {
  const files = { Machinefile: 'machines: { m: { cdrom: ./installer.iso, disk: 1GiB } }', 'installer.iso': '' };
  await using project = await TestProject.create({ files, tools: [tools.blockingQemuImg, tools.failingQemu] });
  const [begun, end] = ['begun', 'end'].map((name) => join(project.dir, name)) as [string, string]; // two names, two paths
  await runProgram('mkfifo', [begun, end]);
  const env = { ...project.env, BLOCKING_BEGUN: begun, BLOCKING_END: end };

  const up = project.startWith(env, 'up');
  await readFile(begun);
  const destroy = project.start('destroy', '--yes');
  const waits = new Promise<string>((resolve) => destroy.child.stderr?.once('data', resolve));
  expect(await waits).toBe(`m: waiting for vm up (pid ${up.child.pid}), which is working on it\n`);
  expect(await project.status('m')).toMatchObject({ state: 'not_created' });

  await writeFile(end, 'go on\n');
  expect(await up.ended).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('qemu-img failed') });
  expect(await destroy.ended).toMatchObject({ exitCode: 0, stdout: 'nothing to destroy\n' });
  expect(project.leftovers()).toEqual([]);
});

test('Ctrl-C ends up while a program of its works, and nothing is left', async () => {
  const files = { Machinefile: 'machines: { m: { cdrom: ./installer.iso, disk: 1GiB } }', 'installer.iso': '' };
  await using project = await TestProject.create({ files, tools: [tools.blockingQemuImg, tools.failingQemu] });
  const [begun, end] = ['begun', 'end'].map((name) => join(project.dir, name)) as [string, string]; // two names, two paths
  await runProgram('mkfifo', [begun, end]);

  const up = project.startWith({ ...project.env, BLOCKING_BEGUN: begun, BLOCKING_END: end }, 'up');
  await readFile(begun);
  up.child.kill('SIGINT');
  const { exitCode, stderr } = await up.ended;
  expect(exitCode).toBe(130);
  expect(stderr).toContain(
    'vm: interrupted; m is not created\n→ vm up goes on from here; vm destroy removes everything\n',
  );
  expect(project.leftovers()).toEqual([]);
});
