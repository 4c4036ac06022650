import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Debian's docker-registry on 127.0.0.1; disposing it ends it, and removes what it keeps. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly name: string;
  /** Where it keeps blobs, as `docker/registry/v2/blobs/sha256/…` below. */
  readonly dir: string;
}

/** @param auth its configuration's part of that name; without it everybody may do everything. */
export async function startRegistry(auth?: object): Promise<DockerRegistry> {
  const dir = await mkdtemp(join(tmpdir(), 'vm-registry-'));
  const configPath = join(dir, 'config.yml');
  const config = {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: dir }, delete: { enabled: true } },
    http: { addr: '127.0.0.1:0', secret: 'of the tests' },
    ...(auth !== undefined && { auth }),
  };
  // JSON is YAML.
  await writeFile(configPath, JSON.stringify(config));
  const child = spawn('docker-registry', ['serve', configPath], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const end = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(dir, { recursive: true });
  };
  try {
    return { name: await findAddress(child.stderr), dir, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** It tells which port it was given. */
function findAddress(log: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const lines = createInterface({ input: log });
    lines.on('line', (line) => {
      said.push(line);
      const [, address] = /listening on (127\.0\.0\.1:\d+)/.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
    lines.on('close', () => reject(new Error(`docker-registry did not start:\n${said.join('\n')}`)));
  });
}
