import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TestProject } from '../support/test-project.ts';

/** Logs in with what it is told, and with nothing else. */
const LOG_IN = `#!/bin/sh
exec ssh -F none -i "$VM_SSH_KEY" -p "$VM_SSH_PORT" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \\
  -o BatchMode=yes "$VM_SSH_USER@$VM_SSH_HOST" "$@"
`;

test('hooks reach their guest, at the right moments', async () => {
  const Machinefile = `machines:
  m:
    box: tiny
    memory: 256MiB
    provision: [{ shell: touch /provisioned }]
    hooks:
      before_provision: [./log-in.sh test ! -e /provisioned]
      after_provision: [./log-in.sh test -e /provisioned]
      after_up: [[./log-in.sh, "hostname; echo $$VM_MACHINE; touch /hooked"]]
      before_halt: [./log-in.sh rm /hooked]
      after_destroy: [[sh, -c, 'echo "$$VM_MACHINE is gone" >gone']]
`;
  await using project = await TestProject.create({ files: { Machinefile } });
  await project.write('log-in.sh', LOG_IN, 0o755);
  const up = await project.vm('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  expect(up.stderr).toMatch(/^m \| m$/m);
  await project.ok('exec', 'm', '--', 'test', '-e', '/hooked');

  await project.ok('halt');
  expect(await project.fails(1, 'exec', 'm', '--', 'true')).toContain('m is stopped');
  await project.ok('up', '--no-hooks');
  expect(await project.vm('exec', 'm', '--', 'test', '-e', '/hooked')).toMatchObject({ exitCode: 1 });

  await project.ok('destroy', '--yes');
  expect(await readFile(join(project.dir, 'gone'), 'utf8')).toBe('m is gone\n');
  expect(project.leftovers()).toEqual([]);
});
