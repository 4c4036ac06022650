import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findTool } from '../../src/host/exec.ts';
import { createImage } from '../support/images.ts';
import { onTerminal } from '../support/terminal.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

/** Its QEMU does not start, which is all that is needed here. */
async function projectOnDisk(): Promise<TestProject> {
  const project = await TestProject.create({
    files: { Machinefile: 'machines: { m: { box: ./disk.qcow2 } }' },
    tools: [tools.qemuImg, tools.failingQemu],
  });
  await createImage(join(project.dir, 'disk.qcow2'));
  return project;
}

/** A machine whose disk is made by a qemu-img that waits for Enter. */
const SLOW = { Machinefile: 'machines: { m: { cdrom: ./installer.iso, disk: 1GiB } }', 'installer.iso': '' };
const SLOW_ENV = { BLOCKING_BEGUN: '/dev/tty', BLOCKING_END: '/dev/tty' };

const COLOUR = '\u001b[32m';
const QUESTION = 'Destroy m? What is on the disks is lost. [y/N] ';

describe.runIf(findTool('script'))('on a terminal', () => {
  test('a live line tells what takes time, and for how long', async () => {
    await using project = await TestProject.create({ files: SLOW, tools: [tools.blockingQemuImg, tools.failingQemu] });
    const actions = [{ after: 'm: create 0.', keys: '\r' }];
    const { screen } = await onTerminal(project, ['up'], { env: SLOW_ENV, actions });
    expect(screen).toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏].*m: create \d\.\d s/);
    expect(screen).toContain('m: create failed after');
  });

  test.each([
    { what: 'colours', args: ['up'], env: {}, hasColour: true },
    { what: 'none with NO_COLOR', args: ['up'], env: { NO_COLOR: '1' }, hasColour: false },
    { what: 'none with --no-color', args: ['up', '--no-color'], env: {}, hasColour: false },
  ])('$what', async ({ args, env, hasColour }) => {
    await using project = await projectOnDisk();
    const { screen } = await onTerminal(project, args, { env });
    expect(screen).toContain(' m: create');
    expect(screen.includes(COLOUR)).toBe(hasColour);
  });

  test('stats takes the place of itself, until Ctrl-C', async () => {
    await using project = await TestProject.create({ files: SLOW, tools: [] });
    const actions = [{ after: '\u001b[2A', keys: '\u0003' }];
    const { screen, ...ended } = await onTerminal(project, ['stats'], { actions });
    expect(ended, screen).toEqual({ exitCode: 130, isRestored: true });
    expect(screen).toMatch(/^m +- +- +- +-/m);
    expect(screen.lastIndexOf('\u001b[?25h')).toBeGreaterThan(screen.lastIndexOf('\u001b[?25l'));
  });

  test('destroy asks, and only yes is yes', async () => {
    await using project = await projectOnDisk();
    await project.fails(1, 'up');
    const answers = [
      { keys: 'n\r', exitCode: 1, state: 'stopped' },
      { keys: '\r', exitCode: 1, state: 'stopped' },
      { keys: '\u0004', exitCode: 1, state: 'stopped' },
      { keys: '\u0003', exitCode: 130, state: 'stopped' },
      { keys: 'y\r', exitCode: 0, state: 'not_created' },
    ];
    for (const { keys, exitCode, state } of answers) {
      const { screen, ...ended } = await onTerminal(project, ['destroy'], { actions: [{ after: QUESTION, keys }] });
      expect({ keys, ...ended }, screen).toEqual({ keys, exitCode, isRestored: true });
      expect(await project.status('m')).toMatchObject({ state });
    }
  });
});
