import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rootDir } from '../support/paths.ts';
import { TestProject } from '../support/test-project.ts';

/** apt in an emulated guest takes minutes on a slow host. */
const APT_TIMEOUT_MS = 900_000;

async function exampleProject(name: string): Promise<TestProject> {
  const project = await TestProject.create({ files: {} });
  const source = join(rootDir, 'examples', name);
  await cp(source, project.dir, { recursive: true, filter: (path) => !path.includes('/.vm') });
  return project;
}

test('cluster: three nodes agree on a leader, go on without one, and know when they are too few', async () => {
  await using project = await exampleProject('cluster');
  const leaderFor = async (node: string) => (await project.vm('exec', node, '--', 'leader')).stdout.trim();
  const soon = { timeout: 30_000, interval: 500 };
  await project.ok('up', '--wait');
  for (const node of ['node-1', 'node-2', 'node-3']) {
    await expect.poll(() => leaderFor(node), soon).toBe('node-1');
  }
  await project.ok('halt', '--force', 'node-1');
  await expect.poll(() => leaderFor('node-3'), soon).toBe('node-2');
  await project.ok('halt', '--force', 'node-2');
  await expect.poll(() => project.vm('exec', 'node-3', '--', 'leader'), soon).toMatchObject({ exitCode: 1 });
  await project.ok('up', '--wait', 'node-1');
  await expect.poll(() => leaderFor('node-3'), soon).toBe('node-1');
});

test(
  'two-tier: the web server comes up behind the database, whose volume outlives restarts',
  async () => {
    await using project = await exampleProject('two-tier');
    await project.ok('up', '--wait');
    const { ports } = await project.status('web');
    const visit = async () => {
      const page = await fetch(`http://127.0.0.1:${ports[0]?.host}/cgi-bin/visit`);
      return Number(/^visitor (\d+)\n$/.exec(await page.text())?.[1]);
    };
    const before = await visit();
    expect(await visit()).toBe(before + 1);
    await project.ok('reload', 'db');
    expect(await visit()).toBe(before + 2);
    expect((await project.status('db')).health).toBe('healthy');
  },
  APT_TIMEOUT_MS,
);
