import { expect, test } from 'vitest';
import { TestProject } from '../support/test-project.ts';

const Machinefile = 'machines: { m: { box: tiny } }\n';

test.each([
  [['--format', 'iso'], 2, 'there is no format iso\n→ give --format box, ova, qcow2, raw, vmdk, vdi, vhdx'],
  [['--output', 'web.tar'], 2, 'what web.tar is to be is not clear from its name\n→ give --format'],
  [['--name', 'team/web', '--output', 'web.box'], 2, '--output and --format are for files'],
  [['--name', 'Team Web'], 2, '“Team Web” is not a name for a box'],
  [['--name', 'team/web', '--version', '~> 1'], 2, '“~> 1” is not a version'],
  [['--version', '1.0'], 2, '--version is for boxes in the store\n→ give --name, too'],
  [['--output', 'Machinefile', '--format', 'raw'], 2, 'Machinefile exists already'],
  [['--output', 'nowhere/web.box'], 2, 'nowhere is no folder'],
  [[], 1, 'm is not created\n→ vm up m creates it'],
])('vm package %j', async (args, exitCode, says) => {
  await using project = await TestProject.create({ files: { Machinefile }, tools: [] });
  expect(await project.fails(exitCode, 'package', ...args)).toContain(says);
  expect(project.leftovers()).toEqual([]);
});

test('a recipe with mistakes is told of, at its lines', async () => {
  await using project = await TestProject.create({ files: { 'app.yaml': 'box: tiny\nports: [80]\n' }, tools: [] });
  const stderr = await project.fails(2, 'box', 'build', './app.yaml');
  expect(stderr).toContain('app.yaml:1:1: “name” is missing');
  expect(stderr).toContain("app.yaml:2:1: unknown key “ports” in a box's recipe");
  expect(await project.fails(2, 'box', 'build', 'none.yaml')).toContain('none.yaml:1:1: there is no such file');
});
