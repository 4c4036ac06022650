import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { MachineStatus } from '../../src/operations/status.ts';
import { testHomeDir } from './paths.ts';
import { type RunningVm, runVm, startVm, type VmCall, type VmResult } from './run-vm.ts';

export interface TestProjectOptions {
  /** Files to write, by path below the project. */
  readonly files: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** The project's folder; a new one in the temp folder unless given. */
  readonly dir?: string;
  /** The name of that new folder. */
  readonly name?: string;
  /** Programs to have on PATH, and no others. VM_HOME is a new, empty folder then. */
  readonly tools?: readonly string[];
}

/** A project of its own for one test. Disposing it destroys its machines and proves that nothing of them is left. */
export class TestProject implements AsyncDisposable {
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly #tempDir: string;

  private constructor(tempDir: string, dir: string, env: Readonly<Record<string, string | undefined>>) {
    this.#tempDir = tempDir;
    this.dir = dir;
    this.env = { HOME: join(tempDir, 'home'), XDG_RUNTIME_DIR: join(tempDir, 'run'), ...env };
  }

  static async create({ files, env = {}, dir, name = 'project', tools }: TestProjectOptions): Promise<TestProject> {
    const tempDir = await mkdtemp(join(tmpdir(), 'vm-test-'));
    const binDir = join(tempDir, 'bin');
    const world =
      tools === undefined
        ? { PATH: process.env.PATH, VM_HOME: testHomeDir }
        : { PATH: binDir, VM_HOME: join(tempDir, 'vm-home') };
    const project = new TestProject(tempDir, dir ?? join(tempDir, name), { ...world, ...env });
    for (const folder of ['home', 'run', 'bin']) await mkdir(join(tempDir, folder), { mode: 0o700 });
    for (const tool of tools ?? []) await symlink(tool, join(binDir, basename(tool)));
    await mkdir(project.dir, { recursive: true });
    for (const [path, text] of Object.entries(files)) await project.write(path, text);
    return project;
  }

  async write(path: string, text: string, mode = 0o644): Promise<void> {
    const absolute = join(this.dir, path);
    await mkdir(dirname(absolute), { recursive: true });
    await writeFile(absolute, text);
    await chmod(absolute, mode);
  }

  vm(...args: string[]): Promise<VmResult> {
    return runVm({ args, cwd: this.dir, env: this.env });
  }

  vmWith(env: VmCall['env'], ...args: string[]): Promise<VmResult> {
    return runVm({ args, cwd: this.dir, env });
  }

  start(...args: string[]): RunningVm {
    return this.startWith(this.env, ...args);
  }

  startWith(env: VmCall['env'], ...args: string[]): RunningVm {
    return startVm({ args, cwd: this.dir, env });
  }

  /** Runs a command that must succeed, and gives its standard output. */
  async ok(...args: string[]): Promise<string> {
    const result = await this.vm(...args);
    expect(result, `vm ${args.join(' ')}\n${result.stderr}`).toMatchObject({ exitCode: 0 });
    return result.stdout;
  }

  /** Runs a command that must fail with this exit code, and gives its standard error. */
  async fails(exitCode: number, ...args: string[]): Promise<string> {
    const result = await this.vm(...args);
    expect(result, `vm ${args.join(' ')}\n${result.stdout}${result.stderr}`).toMatchObject({ exitCode });
    expect(result.stderr, 'a stack trace is a bug').not.toMatch(/^\s+at .*\(?.*:\d+:\d+\)?$/m);
    return result.stderr;
  }

  async status(machine: string): Promise<MachineStatus> {
    const machines = JSON.parse(await this.ok('status', '--json')) as MachineStatus[];
    const status = machines.find((candidate) => candidate.machine === machine);
    if (status === undefined) throw new Error(`${machine} is not in the status`);
    return status;
  }

  /** What is left of the project's machines: processes that name its folders, sockets, state. */
  leftovers(): string[] {
    const processes = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((pid) => commandLine(pid).includes(this.#tempDir) || commandLine(pid).includes(this.dir))
      .map((pid) => `process ${pid}: ${commandLine(pid)}`);
    const runtimeDir = join(this.#tempDir, 'run', 'vm');
    const sockets = existsSync(runtimeDir) ? readdirSync(runtimeDir).map((name) => `runtime folder ${name}`) : [];
    return [...processes, ...sockets, ...(existsSync(join(this.dir, '.vm')) ? ['.vm'] : [])];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const destroyed = existsSync(join(this.dir, '.vm')) ? await this.vm('destroy', '--yes', '--volumes') : undefined;
    const leftovers = this.leftovers();
    await rm(this.#tempDir, { recursive: true, force: true });
    if (destroyed) expect(destroyed, destroyed.stderr).toMatchObject({ exitCode: 0 });
    expect(leftovers).toEqual([]);
  }
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it ended meanwhile
  }
}
