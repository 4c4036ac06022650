import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const vmPath = fileURLToPath(new URL('../../dist/main.cjs', import.meta.url));
const testHomeDir = fileURLToPath(new URL('../../.test-home', import.meta.url));

/** A project whose machines are measured. Disposing it destroys them. */
export class Lab implements AsyncDisposable {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;

  /** VM_HOME. */
  readonly homeDir: string;

  private constructor(dir: string, homeDir: string) {
    this.dir = dir;
    this.homeDir = homeDir;
    this.env = { PATH: process.env.PATH, HOME: dir, VM_HOME: homeDir, XDG_RUNTIME_DIR: join(dir, 'run') };
  }

  /** @param ownHome a box store of its own, instead of that of the tests. */
  static async create(machinefile: string, { ownHome = false } = {}): Promise<Lab> {
    const dir = await mkdtemp(join(tmpdir(), 'vm-bench-'));
    const lab = new Lab(dir, ownHome ? join(dir, 'vm-home') : testHomeDir);
    await mkdir(join(lab.dir, 'run'), { mode: 0o700 });
    await writeFile(join(lab.dir, 'Machinefile'), machinefile);
    return lab;
  }

  /** Runs vm, which must succeed, and gives its standard output. */
  vm(...args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [vmPath, ...args], {
        cwd: this.dir,
        env: this.env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (text) => {
        stdout += text;
      });
      child.stderr.on('data', (text) => {
        stderr += text;
      });
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0 ? resolve(stdout) : reject(new Error(`vm ${args.join(' ')} failed:\n${stderr}`)),
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vm('destroy', '--yes');
    await rm(this.dir, { recursive: true, force: true });
  }
}
