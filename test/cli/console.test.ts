import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findTool } from '../../src/host/exec.ts';
import { createImage } from '../support/images.ts';
import { onTerminal } from '../support/terminal.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

const DETACH = '\u001d';
const PROMPT = 'login: ';

let project: TestProject;

beforeAll(async () => {
  const files = { Machinefile: 'machines: { m: { box: ./disk.qcow2 } }' };
  project = await TestProject.create({ files, tools: [tools.qemuImg, tools.stty, ...tools.fakeGuest] });
  await createImage(join(project.dir, 'disk.qcow2'));
  await project.ok('up');
});

afterAll(() => project[Symbol.asyncDispose]());

describe.runIf(findTool('script'))('the console', () => {
  test('bytes and keys go through as they are, also Ctrl-C; Ctrl-] leaves', async () => {
    const actions = [
      { after: PROMPT, keys: 'ro\u0003ot' },
      { after: 'ro\u0003ot', keys: DETACH },
    ];
    const { screen, ...ended } = await onTerminal(project, ['console'], { actions });
    expect(ended, screen).toEqual({ exitCode: 0, isRestored: true });
    // Each line feed of the guest would move to the first column, which full-screen programs do not expect.
    expect(screen).toContain('one\ntwo\nlogin: ro\u0003ot');
  });

  test('SIGTERM leaves it, too', async () => {
    const actions = [{ after: 'attached', signal: 'SIGTERM' as const }];
    const { screen, ...ended } = await onTerminal(project, ['console'], { actions });
    expect(ended, screen).toEqual({ exitCode: 130, isRestored: true });
  });

  test('a second user is told that there is one', async () => {
    const first = connect(await consolePath());
    await once(first, 'data');
    const { screen, ...ended } = await onTerminal(project, ['console']);
    first.destroy();
    expect(screen).toContain('vm: the console of m is in use, and serves one user at a time\r\n→ vm logs -f m ');
    expect(ended).toEqual({ exitCode: 1, isRestored: true });
  });
});

async function consolePath(): Promise<string> {
  const command = await project.ok('up', '--dry-run', '-q');
  return /id=console,path=([^,]+)/.exec(command)?.[1] ?? '';
}
