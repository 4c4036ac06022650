import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rootDir } from '../support/paths.ts';
import { TestProject } from '../support/test-project.ts';

/** apt in several emulated guests takes many minutes on a slow host. */
const APT_TIMEOUT_MS = 1_800_000;

async function exampleProject(name: string): Promise<TestProject> {
  const project = await TestProject.create({ files: {} });
  const source = join(rootDir, 'examples', name);
  await cp(source, project.dir, { recursive: true, filter: (path) => !path.includes('/.vm') });
  return project;
}

test(
  'cluster: three nodes agree, go on without one, and take it in again',
  async () => {
    await using project = await exampleProject('cluster');
    const etcdctl = (node: string, ...args: string[]) =>
      project.ok('exec', node, '--', 'env', 'ETCDCTL_API=3', 'etcdctl', ...args);
    await project.ok('up', '--wait');
    await etcdctl('node-1', 'put', 'course', 'networks');
    expect(await etcdctl('node-3', 'get', 'course')).toBe('course\nnetworks\n');
    await project.ok('halt', '--force', 'node-1');
    await etcdctl('node-2', 'put', 'course', 'kernels');
    await project.ok('up', '--wait', 'node-1');
    expect(await etcdctl('node-1', 'get', 'course')).toBe('course\nkernels\n');
  },
  APT_TIMEOUT_MS,
);

test(
  'two-tier: the web server comes up behind the database, whose volume outlives restarts',
  async () => {
    await using project = await exampleProject('two-tier');
    await project.ok('up', '--wait');
    const { ports } = await project.status('web');
    const page = async () => (await fetch(`http://127.0.0.1:${ports[0]?.host}/`)).text();
    expect(await page()).toBe('visitor 1\n');
    expect(await page()).toBe('visitor 2\n');
    await project.ok('reload', 'db');
    expect(await page()).toBe('visitor 3\n');
    expect((await project.status('db')).health).toBe('healthy');
  },
  APT_TIMEOUT_MS,
);
