import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/host/exec.ts';
import { rootDir } from './paths.ts';

const BOX_NAME = 'of-the-test';

/** qemu64 has no five-level page tables, which QEMU 7.2 emulates wrongly in other models. */
const VAGRANTFILE = `Vagrant.configure('2') do |config|
  config.vm.box = '${BOX_NAME}'
  config.vm.boot_timeout = 800
  config.vm.synced_folder '.', '/vagrant', disabled: true
  config.vm.provider :libvirt do |libvirt|
    libvirt.driver = 'qemu'
    libvirt.cpus = 2
    libvirt.memory = 512
    libvirt.cpu_mode = 'custom'
    libvirt.cpu_model = 'qemu64'
    libvirt.graphics_type = 'none'
    libvirt.serial type: 'file', source: { path: '/var/log/console' }
    # No firewall is needed where there is no other network.
    libvirt.management_network_mode = 'open'
  end
end
`;

/** As long as a machine takes where guests are emulated on a busy host, and an image is copied for it. */
const COMMAND_TIMEOUT_MS = 900_000;

const CONSOLE_LINES_SHOWN = 20;

/**
 * Debian's Vagrant with vagrant-libvirt, a libvirtd of its own, and one machine. Needs root. Disposing it ends everything
 * that runs in it, and removes all that it made; so does the end of this process, but for the files.
 */
export class Vagrant implements AsyncDisposable {
  readonly #tempDir: string;
  readonly #host: ChildProcessWithoutNullStreams;
  readonly #hostEnded: Promise<unknown>;

  private constructor(tempDir: string) {
    this.#tempDir = tempDir;
    const namespaces = ['--mount', '--mount-proc', '--net', '--pid', '--fork', '--kill-child'];
    const firstProcess = [`${rootDir}test/fixtures/vagrant/libvirt-host`, join(tempDir, 'libvirt')];
    this.#host = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'unshare', ...namespaces, '--', ...firstProcess]);
    this.#hostEnded = new Promise((resolve) => this.#host.once('close', resolve));
  }

  static async start(): Promise<Vagrant> {
    const tempDir = await mkdtemp(join(tmpdir(), 'vm-vagrant-'));
    for (const folder of ['libvirt', 'home', 'project']) await mkdir(join(tempDir, folder));
    await writeFile(join(tempDir, 'project', 'Vagrantfile'), VAGRANTFILE);
    const vagrant = new Vagrant(tempDir);
    try {
      await vagrant.#ready();
      return vagrant;
    } catch (error) {
      await vagrant[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Makes a box the machine's. */
  async addBox(path: string): Promise<void> {
    await this.run('box', 'add', '--name', BOX_NAME, path);
  }

  /** Runs `vagrant` in the folder of the Vagrantfile, and gives its standard output. */
  async run(...args: string[]): Promise<string> {
    const { pid } = this.#host;
    const namespaces = [`--target=${pid}`, '--mount', '--net', `--pid=/proc/${pid}/ns/pid_for_children`];
    const place = [...namespaces, `--wdns=${join(this.#tempDir, 'project')}`];
    const command = { file: 'nsenter', args: [...place, 'setpriv', '--pdeathsig', 'KILL', 'vagrant', ...args] };
    const home = join(this.#tempDir, 'home');
    const env = {
      HOME: home,
      VAGRANT_HOME: join(home, '.vagrant.d'),
      VAGRANT_DEFAULT_PROVIDER: 'libvirt',
      VAGRANT_CHECKPOINT_DISABLE: '1',
      LIBVIRT_DEFAULT_URI: 'qemu:///system',
      LANG: 'C.UTF-8',
      PATH: `${rootDir}test/fixtures/bin/libguestfs:${process.env.PATH}`,
      // Of bsdtar, which packs boxes.
      TAR_WRITER_OPTIONS: 'gzip:compression-level=1',
    };
    try {
      const { stdout } = await run(command, { env, timeoutMs: COMMAND_TIMEOUT_MS });
      return stdout;
    } catch (cause) {
      const shown = `vagrant ${args.join(' ')} failed; on the console of its machine:\n${await this.#consoleTail()}`;
      throw new Error(shown, { cause });
    }
  }

  /** Runs a command in the machine, and gives its standard output. */
  ssh(command: string): Promise<string> {
    return this.run('ssh', '--no-tty', '--command', command);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#host.stdin.end();
    await this.#hostEnded;
    await rm(this.#tempDir, { recursive: true });
  }

  /** Resolves once libvirtd answers. */
  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      let said = '';
      for (const stream of [this.#host.stdout, this.#host.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text;
          if (said.endsWith('ready\n')) resolve();
        });
      }
      this.#hostEnded.then(() => reject(new Error(`libvirtd did not start:\n${said}`)));
    });
  }

  async #consoleTail(): Promise<string> {
    const text = await readFile(join(this.#tempDir, 'libvirt/var/log/console'), 'utf8').catch(() => 'nothing');
    return text.split('\n').slice(-CONSOLE_LINES_SHOWN).join('\n');
  }
}
