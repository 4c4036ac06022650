import { expect, test } from 'vitest';
import { oneTiny } from '../support/machinefiles.ts';
import { TestProject } from '../support/test-project.ts';

test('a plan tells what up then does, and a guest keeps the firmware that it was made with', async () => {
  const step = (script: string) => `provision: [{ name: log, shell: ${script} }]`;
  await using project = await TestProject.create({ files: { Machinefile: oneTiny(step('echo 1 > /root/log')) } });
  expect(await project.ok('plan')).toMatch(/^m would be created from tiny .*\n {2}step log: would run \(new\)\n$/);
  expect(await project.ok('up')).toContain('; created, 1 step run\n');
  expect(await project.ok('plan')).toBe('m is up to date\n  step log: done\n');

  const edits = `cpus: 2, firmware: uefi, environment: { A: b }, ${step('echo 2 > /root/log')}`;
  await project.write('Machinefile', oneTiny(edits));
  const left = [
    '  cpus changed: vm reload m applies it',
    '  firmware changed: vm up --recreate m applies it and loses what is on the disks',
    '  step log: changed since it ran (script): vm provision m --with log runs it again',
    '',
  ].join('\n');
  expect(await project.ok('plan')).toBe(`m is running\n  environment changed: vm up m applies it\n${left}`);
  await project.ok('up');
  expect(await project.ok('plan')).toBe(`m is running\n${left}`);
  expect(await project.ok('exec', '--', 'sh', '-c', 'echo "$A"')).toBe('b\n');

  await project.ok('reload');
  expect(await project.ok('exec', '--', 'nproc')).toBe('2\n');
  expect((await project.vm('exec', '--', 'ls', '/sys/firmware/efi')).exitCode).not.toBe(0);
  await project.ok('provision', '--with', 'log');
  expect(await project.ok('plan')).toBe(`m is running\n${left.split('\n')[1]}\n  step log: done\n`);
  await project.ok('up', '--recreate', '--yes');
  expect(await project.ok('plan')).toBe('m is up to date\n  step log: done\n');
  await project.ok('exec', '--', 'ls', '/sys/firmware/efi');
});
