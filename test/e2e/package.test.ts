import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { testHomeDir } from '../support/paths.ts';
import { TestProject } from '../support/test-project.ts';

const RECIPE = `name: test/app
version: 1.0.0
box: tiny
provision:
  - name: install
    shell: { path: ./install.sh }
`;
const INSTALL = 'echo installed >/etc/app; touch /root/.ash_history /var/log/app.log; echo secret >/var/log/app.log\n';
/** What is a machine's own: none of two may have the same. */
const IDENTITY = 'cat /etc/hostname /run/machinefile/ssh_host_ed25519_key.pub /root/.ssh/authorized_keys';

const machinesOn = (box: string, ...names: string[]) =>
  `machines: { ${names.map((name) => `${name}: { box: ${box} }`).join(', ')} }\n`;

function workshops(): string[] {
  const dir = join(testHomeDir, 'workshops');
  return existsSync(dir) ? readdirSync(dir) : [];
}

/** Lines of standard output as events. */
function eventsOf(stdout: string): { type: string; phase?: string; [key: string]: unknown }[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

afterAll(async () => {
  await using project = await TestProject.create({ files: {} });
  for (const box of ['test/packaged', 'test/app']) await project.vm('box', 'remove', box);
});

describe("a box of a user's own recipe", () => {
  test('is built once; its machines share nothing but what was installed', async () => {
    await using project = await TestProject.create({
      files: { 'app.yaml': RECIPE, 'install.sh': INSTALL, Machinefile: machinesOn('test/app', 'a', 'b') },
    });
    const built = eventsOf(await project.ok('box', 'build', './app.yaml', '--json')).at(-1);
    expect(built).toMatchObject({ type: 'result', name: 'test/app', version: '1.0.0' });
    expect(workshops()).toEqual([]);
    expect(eventsOf(await project.ok('box', 'build', './app.yaml', '--json'))).toEqual([built]);

    await project.ok('up');
    for (const name of ['a', 'b']) {
      expect(await project.ok('exec', name, '--', 'cat', '/etc/app', '/etc/hostname')).toBe(`installed\n${name}\n`);
      const kept = ['find', '/root', '/var/log', '-type', 'f', '-size', '+0', '!', '-name', 'authorized_keys'];
      expect(await project.ok('exec', name, '--', ...kept)).toBe('');
    }
    const [a, b] = [
      await project.ok('exec', 'a', '--', 'sh', '-c', IDENTITY),
      await project.ok('exec', 'b', '--', 'sh', '-c', IDENTITY),
    ];
    const linesOfA = a.trimEnd().split('\n');
    expect(linesOfA).toHaveLength(3);
    expect(
      b
        .trimEnd()
        .split('\n')
        .filter((line) => linesOfA.includes(line)),
    ).toEqual([]);
    expect(await project.fails(1, 'box', 'remove', 'test/app')).toMatch(/is in use by a in .*, b in /);
  });

  test('whose step fails is not there, nor is anything of the attempt', async () => {
    await using project = await TestProject.create({
      files: { 'app.yaml': RECIPE, 'install.sh': 'echo oops >&2; exit 7\n' },
    });
    const boxesOfRecipe = async () => {
      const boxes = JSON.parse(await project.ok('box', 'list', '--json')) as { name: string; key: string }[];
      return boxes.filter(({ name }) => name === 'test/app').map(({ key }) => key);
    };
    const before = await boxesOfRecipe();
    const stderr = await project.fails(1, 'box', 'build', './app.yaml');
    expect(stderr).toContain('oops');
    expect(stderr).toContain('→ correct ./app.yaml and build it again');
    expect(await boxesOfRecipe()).toEqual(before);
    expect(workshops()).toEqual([]);
  });
});

describe('a box of a machine', () => {
  test('is made of a copy; the machine is halted, and as it was', async () => {
    await using project = await TestProject.create({ files: { Machinefile: machinesOn('tiny', 'm') } });
    await project.ok('up');
    await project.ok('exec', '--', 'sh', '-c', 'echo mine >/etc/app');
    const identity = await project.ok('exec', '--', 'sh', '-c', IDENTITY);
    const [result, ...events] = eventsOf(
      await project.ok('package', '--name', 'test/packaged', '--version', '2.1', '--json'),
    ).reverse();
    expect(result).toMatchObject({ type: 'result', machine: 'm', name: 'test/packaged', version: '2.1' });
    expect(events.map(({ phase }) => phase)).toContain('remove identity');
    expect(workshops()).toEqual([]);
    expect(await project.status('m')).toMatchObject({ state: 'stopped' });

    await using other = await TestProject.create({ files: { Machinefile: machinesOn('test/packaged', 'n') } });
    await other.ok('up');
    expect(await other.ok('exec', '--', 'cat', '/etc/app', '/etc/hostname')).toBe('mine\nn\n');
    expect(await other.ok('exec', '--', 'sh', '-c', IDENTITY)).not.toContain(identity.split('\n')[1]);
    await project.ok('up');
    expect(await project.ok('exec', '--', 'sh', '-c', IDENTITY)).toBe(identity);
  });

  test('killed while its copy boots: the next destroy removes the copy', async () => {
    await using project = await TestProject.create({ files: { Machinefile: machinesOn('tiny', 'm') } });
    await project.ok('up');
    const running = project.start('package', '--name', 'test/packaged', '--json');
    await new Promise<void>((resolve) => {
      running.child.stdout?.on('data', (text: string) => {
        if (text.includes('"phase":"boot","status":"started"')) resolve();
      });
    });
    running.child.kill('SIGKILL');
    await running.ended;
    const [left] = workshops();
    expect(left).toBeDefined();
    await project.ok('destroy', '--yes');
    expect(workshops()).toEqual([]);
    expect(project.leftovers()).toEqual([]);
  });

  test('a box whose kernel is beside its disk is for vm only', async () => {
    await using project = await TestProject.create({ files: { Machinefile: machinesOn('tiny', 'm') } });
    await project.ok('up');
    expect(await project.fails(1, 'package')).toMatch(
      /the box tiny of m has its kernel beside its disk, so that only vm can start it\n→ vm package --name/,
    );
    expect(await project.status('m')).toMatchObject({ state: 'running' });
    expect(await project.fails(2, 'package', '--output', 'Machinefile')).toContain('is not clear from its name');
    expect(await project.fails(2, 'package', '--output', 'Machinefile', '--format', 'raw')).toContain(
      'Machinefile exists already',
    );
  });
});
