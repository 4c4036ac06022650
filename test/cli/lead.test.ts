import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { storeFakeBox } from '../support/fake-box.ts';
import type { RunningVm } from '../support/run-vm.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

const runProgram = promisify(execFile);

const machinefile = (step: string) =>
  `machines: { m: { box: tiny, provision: [{ name: install, ${step} }, { name: greet, run: always, shell: hello }] } }\n`;
const KEPT = machinefile('shell: make it');

/** What becomes of a machine that has been made here. */
const STARTED = { exitCode: 1, stdout: expect.stringContaining('QEMU did not start') };

/** A project whose `up` makes a machine until the test lets it fail, and another that shares its layers. */
class World implements AsyncDisposable {
  readonly leader: TestProject;
  readonly follower: TestProject;

  private constructor(leader: TestProject, follower: TestProject) {
    this.leader = leader;
    this.follower = follower;
  }

  static async create(follower = KEPT): Promise<World> {
    const files = { Machinefile: KEPT };
    const leader = await TestProject.create({ files, tools: [tools.blockingQemuImg, tools.failingQemu] });
    const homeDir = String(leader.env.VM_HOME);
    await storeFakeBox(homeDir, 'tiny');
    await runProgram('mkfifo', [join(leader.dir, 'begun'), join(leader.dir, 'end')]);
    const other = await TestProject.create({
      files: { Machinefile: follower },
      tools: [tools.qemuImg, tools.failingQemu],
      env: { VM_HOME: homeDir },
    });
    return new World(leader, other);
  }

  /** Begins to make the leader's machine. */
  async lead(...options: string[]): Promise<RunningVm> {
    const { dir, env } = this.leader;
    const up = this.leader.startWith(
      { ...env, BLOCKING_BEGUN: join(dir, 'begun'), BLOCKING_END: join(dir, 'end') },
      'up',
      ...options,
    );
    await readFile(join(dir, 'begun'));
    return up;
  }

  async letLeaderFail(): Promise<void> {
    await writeFile(join(this.leader.dir, 'end'), 'go on\n');
  }

  /** Begins to bring up the follower's; resolves when it says that it waits, or makes its machine. */
  async follow(): Promise<RunningVm & { readonly said: string }> {
    const up = this.follower.start('up', '--json');
    const said = await new Promise<string>((resolve) => {
      let text = '';
      up.child.stdout?.on('data', (chunk: string) => {
        text += chunk;
        if (text.includes('waiting for') || text.includes('"phase":"create"')) resolve(text);
      });
    });
    return { ...up, said };
  }

  /** The locks that are held, or that a process which was killed has left. */
  locks(): string[] {
    return readdirSync(join(String(this.leader.env.VM_HOME), 'locks')).filter((name) => name.startsWith('layer-'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.follower[Symbol.asyncDispose]();
    await this.leader[Symbol.asyncDispose]();
  }
}

describe('of machines that do the same steps one leads', () => {
  test('the others wait for it and say so; when it fails, the next one leads', async () => {
    await using world = await World.create();
    const leader = await world.lead();
    const follower = await world.follow();
    expect(follower.said).toContain(
      `waiting for vm up of m (pid ${leader.child.pid}), which makes the layers that it begins with`,
    );
    expect(await world.follower.status('m')).toMatchObject({ state: 'not_created' });
    await world.letLeaderFail();
    expect(await leader.ended).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('qemu-img failed') });
    expect(await follower.ended).toMatchObject(STARTED);
    expect(await world.follower.status('m')).toMatchObject({ state: 'stopped' });
    expect(world.locks()).toEqual([]);
  });

  test('when it is killed, the next one leads', async () => {
    await using world = await World.create();
    const leader = await world.lead();
    const follower = await world.follow();
    leader.child.kill('SIGKILL');
    await leader.ended;
    expect(await follower.ended).toMatchObject(STARTED);
    await world.letLeaderFail();
    expect(world.locks()).toEqual([]);
  });

  test('Ctrl-C ends the wait at once', async () => {
    await using world = await World.create();
    const leader = await world.lead();
    const follower = await world.follow();
    follower.child.kill('SIGINT');
    expect(await follower.ended).toMatchObject({ exitCode: 130 });
    expect(leader.child.exitCode).toBeNull();
    await world.letLeaderFail();
    await leader.ended;
    expect(world.follower.leftovers()).toEqual([]);
  });

  test.each([
    { what: 'other steps', follower: machinefile('shell: make another'), options: [] },
    { what: 'no step that is kept', follower: machinefile('shell: make it, cache: false'), options: [] },
    { what: 'a leader that begins with its box', follower: KEPT, options: ['--no-cache'] },
  ])('nobody waits with $what', async ({ follower: text, options }) => {
    await using world = await World.create(text);
    const leader = await world.lead(...options);
    const follower = await world.follow();
    expect(follower.said).not.toContain('waiting');
    await world.letLeaderFail();
    await leader.ended;
    expect(await follower.ended).toMatchObject(STARTED);
  });
});
