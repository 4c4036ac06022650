import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startRegistry } from '../support/docker-registry.ts';
import { TestProject } from '../support/test-project.ts';

test('a box that was pushed to a registry runs where it is pulled, and the lockfile keeps it', async () => {
  await using registry = await startRegistry();
  const url = `oci://${registry.name}/team/tiny:1.0`;
  const Machinefile = `machines: { m: { box: "${url}" } }\n`;
  await using publisher = await TestProject.create({ files: { Machinefile } });
  await publisher.ok('box', 'push', 'tiny', url);

  await using project = await TestProject.create({ files: { Machinefile } });
  const ownHome = { ...project.env, VM_HOME: join(project.dir, '..', 'vm-home') };
  const up = await project.vmWith(ownHome, 'up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  try {
    const { stdout } = await project.vmWith(ownHome, 'exec', '--', 'hostname');
    expect(stdout).toBe('m\n');
    expect(await readFile(join(project.dir, 'Machinefile.lock'), 'utf8')).toMatch(
      /source: pulled from oci:.*\n\s+sha256: [0-9a-f]{64}\n/,
    );
    const { stdout: boxes } = await project.vmWith(ownHome, 'box', 'list', '--json');
    expect(JSON.parse(boxes)).toMatchObject([{ name: `${registry.name}/team/tiny`, version: '1.0', boot: 'kernel' }]);
  } finally {
    await project.vmWith(ownHome, 'destroy', '--yes');
  }
});
