import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { rootDir } from '../support/paths.ts';
import { TestProject } from '../support/test-project.ts';

/** apt in an emulated guest takes minutes on a slow host. */
const APT_TIMEOUT_MS = 900_000;

test(
  'the quickstart brings up a web server and shows its page; then the machine is used',
  async () => {
    await using project = await TestProject.create({ files: {} });
    await cp(join(rootDir, 'examples/hello'), project.dir, {
      recursive: true,
      filter: (path) => !path.includes('/.vm'),
    });
    const quickstart = join(rootDir, 'scripts/quickstart');
    const { stdout } = await promisify(execFile)(quickstart, [project.dir], { env: project.env });
    expect(stdout).toContain('<h1>Hello from a machine</h1>');
    expect(stdout).toContain('vm halt');

    const { ports } = await project.status('web');
    const url = `http://127.0.0.1:${ports[0]?.host}/`;
    await project.write('site/index.html', 'changed on the host\n');
    await project.ok('sync');
    expect(await (await fetch(url)).text()).toBe('changed on the host\n');
    await project.ok('reload');
    expect(await (await fetch(url)).text()).toBe('changed on the host\n');
    await project.ok('halt');
    expect(await project.status('web')).toMatchObject({ state: 'stopped', provisioned: true });
  },
  APT_TIMEOUT_MS,
);
