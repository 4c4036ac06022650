import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findFormatTool } from '../../src/operations/volumes/format.ts';
import { TestProject } from '../support/test-project.ts';

const runProgram = promisify(execFile);

const machinefile = (size: string) => `
defaults: { box: tiny, memory: 256MiB }
machines:
  db: { volumes: ["data:/srv/data", "logs:/srv"] }
  spare: { volumes: ["data:/mnt"], autostart: false }
volumes: { data: { size: ${size} }, logs: { size: 16MiB } }
`;

/** The file system of a volume that nobody uses now, as e2fsck sees it, which changes nothing. */
async function checkFilesystem({ dir }: TestProject, volume: string): Promise<string> {
  const e2fsck = String(findFormatTool()).replace('mkfs.ext4', 'e2fsck');
  const { stdout } = await runProgram(e2fsck, ['-fn', join(dir, `.vm/volumes/${volume}/volume.raw`)]);
  return stdout;
}

test('what is on a volume survives a QEMU that is killed, halt, and its machine; another machine has it then, grown', async () => {
  await using project = await TestProject.create({ files: { Machinefile: machinefile('32MiB') } });
  await project.ok('up');
  const write = `grep -q ' /srv ' /proc/mounts; grep -q ' /srv/data ' /proc/mounts; echo precious >/srv/data/note; echo log >/srv/log; sync
    (while :; do date >>/srv/data/busy; done) </dev/null >/dev/null 2>&1 &`;
  await project.ok('exec', 'db', '--', 'sh', '-ec', write);
  expect(await project.fails(1, 'up', 'spare')).toContain('spare: the volume data is attached to db');

  const { pid } = await project.status('db');
  process.kill(pid ?? 0, 'SIGKILL');
  await expect.poll(async () => (await project.status('db')).state).toBe('stopped');
  await project.ok('up');
  expect(await project.ok('exec', 'db', '--', 'sh', '-ec', 'cat /srv/data/note /srv/log; : >/srv/data/writable')).toBe(
    'precious\nlog\n',
  );
  await project.ok('halt');
  for (const volume of ['data', 'logs']) expect(await checkFilesystem(project, volume)).toContain('Pass 5');

  await project.write('Machinefile', machinefile('64MiB'));
  expect(await project.ok('destroy', 'db', '--yes')).toContain('volumes kept: data, logs (vm volume rm data logs');
  await project.ok('up', 'spare');
  const look = 'cat /mnt/note; df -k /mnt | awk "NR == 2 && \\$2 > 50000 { print \\"grown\\" }"';
  expect(await project.ok('exec', 'spare', '--', 'sh', '-ec', look)).toBe('precious\ngrown\n');
  await project.ok('destroy', '--yes', '--volumes');
  expect(project.leftovers()).toEqual([]);
});

test('a volume that is not mounted is said, with the reason', async () => {
  const files = { Machinefile: machinefile('16MiB').replace('data:/srv/data', 'data:/etc/hostname') };
  await using project = await TestProject.create({ files });
  expect(await project.fails(1, 'up')).toMatch(
    /db does not have all of its volumes:\n {2}the volume vm-data is not mounted at \/etc\/hostname: .*\n→ it is left running/,
  );
  expect(await project.ok('logs')).toContain('machinefile: the volume vm-data is not mounted at /etc/hostname: ');
});
