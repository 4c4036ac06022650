import { expect, test } from 'vitest';
import type { Check } from '../../src/operations/doctor/checks.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

async function doctorOn(programs: readonly string[], exitCode: number): Promise<Map<string, Check>> {
  await using project = await TestProject.create({ files: {}, tools: programs });
  const { stdout, ...result } = await project.vm('doctor', '--json');
  expect(result, stdout).toMatchObject({ exitCode, stderr: '' });
  const checks = JSON.parse(stdout) as Check[];
  return new Map(checks.map((check) => [check.name, check]));
}

test('a host that has what vm needs', async () => {
  const checks = await doctorOn([tools.qemuImg, ...tools.fakeGuest], 0);
  for (const name of ['qemu', 'qemu-img', 'ssh', 'rsync'])
    expect(checks.get(name)).toMatchObject({ status: 'ok', fix: null });
  expect(checks.get('qemu')).toMatchObject({ detail: '9.2.0' });
});

test('a host that has nothing: what is missing, and the command that gets it', async () => {
  const checks = await doctorOn([], 1);
  expect(checks.get('qemu')).toMatchObject({ status: 'missing', fix: 'apt install qemu-system-x86' });
  expect(checks.get('qemu-img')).toMatchObject({ status: 'missing', fix: 'apt install qemu-utils' });
  expect(checks.get('ssh')).toMatchObject({ status: 'missing', fix: 'apt install openssh-client' });
  expect(checks.get('rsync')).toMatchObject({ status: 'warning', fix: 'apt install rsync' });
});

test('a QEMU that does not run is told with its words', async () => {
  const checks = await doctorOn([tools.failingQemu], 1);
  expect(checks.get('qemu')).toMatchObject({ status: 'missing' });
  expect(checks.get('qemu')?.detail).toContain('not a valid device');
});

test('for people: one line a check, and below it what to do', async () => {
  await using project = await TestProject.create({ files: {}, tools: [] });
  const { exitCode, stdout } = await project.vm('doctor');
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^✖ qemu +not installed\n {2}→ apt install qemu-system-x86$/m);
});
