import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TestProject } from '../support/test-project.ts';

test('folders are synced: excluded, deleted, owned as asked; again on up and sync', async () => {
  await using project = await TestProject.create({
    files: {
      Machinefile: `machines:
  m:
    box: debian/12
    cpus: 2
    memory: 1GiB
    sync:
      - ./plain:/srv/plain
      - { host: ./exact, guest: "/srv/exact copy", delete: true, exclude: ["*.log"], owner: www-data, group: vm }
      - .:/srv/all
`,
      'plain/a': 'a\n',
      'exact/keep': 'keep\n',
      'exact/skip.log': 'skip\n',
      'exact/gone later': 'gone\n',
    },
  });
  await project.ok('up');
  const find = (folder: string) =>
    project.ok('exec', '--', 'sh', '-c', `cd '${folder}' && find . -mindepth 1 -printf '%P %u:%g\\n' | sort`);
  expect(await find('/srv/plain')).toBe('a vm:vm\n');
  expect(await find('/srv/exact copy')).toBe('gone later www-data:vm\nkeep www-data:vm\n');
  expect(await find('/srv/all')).not.toContain('.vm');

  await rm(join(project.dir, 'exact/gone later'));
  await rm(join(project.dir, 'plain/a'));
  await project.write('plain/b', 'b\n');
  await project.ok('sync');
  expect(await find('/srv/plain')).toBe('a vm:vm\nb vm:vm\n');
  expect(await find('/srv/exact copy')).toBe('keep www-data:vm\n');

  await project.ok('exec', '--', 'sudo', 'mv', '/usr/bin/rsync', '/usr/bin/rsync.away');
  const error = await project.fails(1, 'sync');
  expect(error).toContain('rsync');
  expect(error).toMatch(/→ .*install/);
});
