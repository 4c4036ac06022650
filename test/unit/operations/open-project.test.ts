import { describe, expect, test } from 'vitest';
import { checkProfiles, openProject } from '../../../src/operations/open-project.ts';
import { listTargets, requireSpec } from '../../../src/operations/project.ts';
import { selectSpecs } from '../../../src/operations/up/up.ts';
import { machineSpec } from '../../support/machine-spec.ts';
import { inFolder, loadInput } from '../machinefile/load-files.ts';

const Machinefile = `
defaults: { box: tiny, hooks: { before_up: ./a } }
machines:
  web:
  later: { autostart: false }
  debug: { profiles: [debug, all] }
  load: { profiles: [load, all], autostart: false }
`;

function open(profiles: readonly string[], { runsHooks = true, patterns = [] as readonly string[] } = {}) {
  return inFolder({ Machinefile }, async (dir) => {
    const { project } = await openProject({ ...loadInput(dir), profiles, runsHooks });
    return { project, targets: await listTargets(project), selected: await selectSpecs(project, patterns) };
  });
}

describe('profiles', () => {
  test.each([
    [[], ['web', 'later'], ['web']],
    [['debug'], ['web', 'later', 'debug'], ['web', 'debug']],
    [['all'], ['web', 'later', 'debug', 'load'], ['web', 'debug']],
    [
      ['debug', 'load'],
      ['web', 'later', 'debug', 'load'],
      ['web', 'debug'],
    ],
  ])('%j: which machines take part, and which of them start', async (profiles, active, started) => {
    const { targets, selected } = await open(profiles);
    expect(targets.filter(({ isActive }) => isActive).map(({ name }) => name)).toEqual(active);
    expect(selected.map(({ name }) => name)).toEqual(started);
  });

  test.each([
    [['*'], ['web', 'later']],
    [['debug'], ['debug']],
    [
      ['load', 'w*'],
      ['web', 'load'],
    ],
  ])('none is active, and %j are to start', async (patterns, names) => {
    const { selected } = await open([], { patterns });
    expect(selected.map(({ name }) => name)).toEqual(names);
  });

  test('one that no machine has', async () => {
    await expect(open(['debgu'])).rejects.toThrow(
      'no machine has the profile “debgu” (allowed: debug, all, load; did you mean “debug”?)',
    );
    const project = {
      name: 'shop',
      projectDir: '/srv/shop',
      machines: [machineSpec()],
      groups: [],
      networks: [],
      volumes: [],
    };
    expect(() => checkProfiles(['x'], project)).toThrow('no machine has the profile “x” (allowed: none)');
    expect(() => checkProfiles([], project)).not.toThrow();
  });
});

test('without hooks it is as if none were written', async () => {
  const hooksOf = async (runsHooks: boolean) =>
    requireSpec((await open([], { runsHooks })).project).machines.map(({ hooks }) => hooks);
  const hooks = { before_up: [{ file: './a', args: [] }] };
  expect(await hooksOf(true)).toEqual([hooks, hooks, hooks, hooks]);
  expect(await hooksOf(false)).toEqual([{}, {}, {}, {}]);
});
