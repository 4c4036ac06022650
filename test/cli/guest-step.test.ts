import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findTool } from '../../src/host/exec.ts';
import { unlessMissing } from '../../src/host/files.ts';
import { identifyProcess, isAlive, type ProcessIdentity } from '../../src/host/processes.ts';
import { waitFor } from '../../src/host/wait.ts';
import { type GuestStep, guestStepInput, RUN_STEP } from '../../src/provisioners/guest-step.ts';

/** The program that runs steps in guests, in the shells that guests have. */
const SHELLS: readonly (readonly string[])[] = [['dash'], ['bash'], ['busybox', 'sh']];

let folder: string;
const started: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guest-step-'));
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ exitCode: number | null; output: string }>;
}

function start(shell: readonly string[], input: Uint8Array, path = process.env.PATH): Running {
  const [file = '', ...args] = shell;
  const env = { ...process.env, PATH: path, TMPDIR: folder };
  const child = spawn(file, [...args, '-c', RUN_STEP], { env, stdio: 'pipe' });
  started.push(child);
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stdin?.write(input);
  const ended = new Promise<{ exitCode: number | null; output: string }>((resolve) =>
    child.once('close', (exitCode) => resolve({ exitCode, output })),
  );
  return { child, ended };
}

function step(text: string, rest: Partial<GuestStep> = {}): Uint8Array {
  return guestStepInput({ script: Buffer.from(text), args: [], environment: {}, ...rest });
}

function eventually<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  return waitFor(probe, { what, timeoutMs: 10_000, signal: new AbortController().signal });
}

/** The process whose pid a step wrote into a file. */
function processIn(path: string): Promise<ProcessIdentity> {
  return eventually(path, async () => {
    const pid = await unlessMissing(readFile(path, 'utf8'));
    return pid?.endsWith('\n') ? identifyProcess(Number(pid)) : undefined;
  });
}

describe.each(SHELLS.filter(([file = '']) => findTool(file) !== undefined))('in %s %s', (...words) => {
  const shell = words.filter((word) => word !== undefined);

  test('arguments, variables, and nothing left behind', async () => {
    const script = 'printf "%s|" "$#" "$1" "$2" "$A" "$vm_dir"; cat; umask; exit 7';
    const environment = { A: "it's $HOME\n`id`", vm_dir: '/x' };
    const { ended } = start(shell, step(script, { args: ['a b', '-n\n'], environment }));
    expect(await ended).toEqual({ exitCode: 7, output: "2|a b|-n\n|it's $HOME\n`id`|/x|0022\n" });
    expect(await readdir(folder)).toEqual([]);
  });

  test('its script is in memory, and gone afterwards', async () => {
    const { output } = await start(shell, step('printf %s "$0"')).ended;
    expect(output).toMatch(/^\/dev\/shm\/vm\.\w+\/script$/);
    expect(existsSync(dirname(output))).toBe(false);
  });

  test('without a #! line the first failure ends it', async () => {
    expect(await start(shell, step('false; echo no')).ended).toEqual({ exitCode: 1, output: '' });
  });

  test('its own interpreter decides', async () => {
    const script = '#!/usr/bin/env sh\nfalse\necho "went on with $1"';
    const { ended } = start(shell, step(script, { args: ['x'] }));
    expect(await ended).toEqual({ exitCode: 0, output: 'went on with x\n' });
  });

  test('half a script does not run', async () => {
    const { child, ended } = start(shell, step('echo must not run\n').subarray(0, -4));
    child.stdin?.end();
    expect(await ended).toEqual({ exitCode: 125, output: '' });
    expect(await readdir(folder)).toEqual([]);
  });

  test('when the host goes away, the step and all it started are stopped', async () => {
    const script = `trap '' TERM; (sleep 600 & echo $! >"${folder}/child"); echo $$ >"${folder}/step"; sleep 600`;
    const { child, ended } = start(shell, step(script));
    const processes = [await processIn(join(folder, 'step')), await processIn(join(folder, 'child'))];
    child.stdin?.end();
    expect((await ended).exitCode).toBe(137);
    expect(processes.some(isAlive)).toBe(false);
    expect((await readdir(folder)).sort()).toEqual(['child', 'step']);
  });

  test('a signal ends the step, which may clean up', async () => {
    const script = `trap 'echo cleaned up; exit 9' TERM; echo $$ >"${folder}/step"; while :; do sleep 0.1; done`;
    const { child, ended } = start(shell, step(script));
    await processIn(join(folder, 'step'));
    child.kill('SIGTERM');
    const { exitCode, output } = await ended;
    expect([exitCode, output.includes('cleaned up')]).toEqual([9, true]);
  });

  test('a daemon that a step leaves behind lives on', async () => {
    const { ended } = start(shell, step(`sleep 600 >/dev/null 2>&1 & echo $! >"${folder}/daemon"`));
    expect((await ended).exitCode).toBe(0);
    const daemon = await processIn(join(folder, 'daemon'));
    expect(isAlive(daemon)).toBe(true);
    process.kill(daemon.pid, 'SIGKILL');
  });
});

describe('where memory has no room', () => {
  async function startWithoutRoom(input: Uint8Array): Promise<Running> {
    const df = join(folder, 'df');
    await writeFile(df, '#!/bin/sh\necho Filesystem\necho tmpfs 64 64 0 100% /dev/shm\n');
    await chmod(df, 0o755);
    return start(['dash'], input, `${folder}:${process.env.PATH}`);
  }

  test('the script is where temporary files are, and gone afterwards', async () => {
    const { output } = await (await startWithoutRoom(step('printf %s "$0"'))).ended;
    expect(dirname(dirname(output))).toBe(folder);
    expect(await readdir(folder)).toEqual(['df']);
  });

  test('nothing is left of half a script', async () => {
    const { child, ended } = await startWithoutRoom(step('echo must not run\n').subarray(0, -4));
    child.stdin?.end();
    expect(await ended).toEqual({ exitCode: 125, output: '' });
    expect(await readdir(folder)).toEqual(['df']);
  });
});
