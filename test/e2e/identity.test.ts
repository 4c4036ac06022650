import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { oneTiny } from '../support/machinefiles.ts';
import { TestProject } from '../support/test-project.ts';

const runProgram = promisify(execFile);

/** They are looked for on the disk, so each must be of a kind that nothing else there is. */
const HOST_NAME = 'name-of-its-own-5c1e';
const VALUE = 'value-of-its-own-90b7';
const STEP_TEXT = 'text-of-a-step-a3d8';
const WRITTEN = 'written-by-a-step-77f2';

/** As root; what it writes is not in its text. */
const STEP = `case $0 in /dev/shm/*) ;; *) exit 3 ;; esac # ${STEP_TEXT}
echo written-by-a-step-77""f2 >/etc/written; sync`;

const machinefile = (box: string) => `machines:
  m:
    box: ${box}
    cpus: ${box === 'tiny' ? 1 : 2}
    memory: ${box === 'tiny' ? '256MiB' : '1GiB'}
    hostname: ${HOST_NAME}
    environment: { GREETING: '${VALUE}', MODE: lab }
    provision:
      - shell: |
${STEP.replaceAll(/^/gm, '          ')}
`;

/** A machine's guest, and what the host knows of it. */
class Guest {
  readonly #project: TestProject;

  constructor(project: TestProject) {
    this.#project = project;
  }

  run(command: string): Promise<string> {
    return this.#project.ok('exec', 'm', '--', 'sh', '-c', command);
  }

  async identity() {
    const key = (await this.run('cat /run/machinefile/ssh_host_ed25519_key.pub')).split(' ')[1];
    return {
      id: (await this.run('cat /etc/machine-id')).trim(),
      hostname: await this.run('hostname; cat /etc/hostname'),
      key,
      environment: await this.run('echo "$GREETING $MODE"'),
    };
  }

  /** What the host has given it. */
  async expected() {
    const { id } = JSON.parse(await this.#read('record.json')) as { id: string };
    return {
      id: id.replaceAll('-', ''),
      hostname: `${HOST_NAME}\n${HOST_NAME}\n`,
      key: (await this.#read('ssh_host_ed25519_key.pub')).split(' ')[1],
      environment: `${VALUE} lab\n`,
    };
  }

  /** By a command inside; resolves when it answers again. */
  async reboot(command: string): Promise<void> {
    const bootId = 'cat /proc/sys/kernel/random/boot_id';
    const before = await this.run(bootId);
    await this.#project.vm('exec', 'm', '--', 'sh', '-c', command);
    const isBack = async () => {
      const { exitCode, stdout } = await this.#project.vm('exec', 'm', '--', 'sh', '-c', bootId);
      return exitCode === 0 && stdout !== before;
    };
    await expect.poll(isBack, { timeout: 120_000, interval: 500 }).toBe(true);
  }

  /** What no disk may hold, by its name. */
  async secrets(): Promise<Record<string, Buffer>> {
    const pem = await this.#read('ssh_host_ed25519_key');
    const lines = pem.split('\n');
    const publicKey = (await this.#read('id_ed25519.pub')).split(' ')[1] ?? '';
    return {
      'the host key': Buffer.from(lines[3] ?? ''),
      // As dropbear writes it: 32 bytes of the secret, after 161 of what is in every such file.
      'the bytes of the host key': Buffer.from(lines.slice(1, -2).join(''), 'base64').subarray(161, 161 + 32),
      'the authorized key': Buffer.from(publicKey),
      'the machine-id': Buffer.from((await this.expected()).id),
      'a value of the environment': Buffer.from(VALUE),
      'the text of a step': Buffer.from(STEP_TEXT),
    };
  }

  #read(file: string): Promise<string> {
    return readFile(join(this.#project.dir, '.vm/machines/m', file), 'utf8');
  }
}

/** All bytes that the machine has written to its disk: what is in it, and in the layers between it and its box's. */
async function writtenBytes(project: TestProject): Promise<Buffer> {
  const diskPath = join(project.dir, '.vm/machines/m/disk.qcow2');
  const { stdout } = await runProgram('qemu-img', ['info', '--backing-chain', '--output=json', diskPath]);
  const chain = JSON.parse(stdout) as { filename: string }[];
  return Buffer.concat(await Promise.all(chain.slice(0, -1).map(({ filename }) => readFile(filename))));
}

/** The text before each place where `text` is. */
function before(disk: Buffer, text: string, length: number): string[] {
  const found: string[] = [];
  for (let at = disk.indexOf(text); at >= 0; at = disk.indexOf(text, at + 1)) {
    found.push(disk.toString('latin1', at - length, at));
  }
  return found;
}

describe.each([
  ['tiny', 'reboot'],
  ['debian/12', 'sudo systemctl reboot'],
])('%s', (box, reboot) => {
  test('who a machine is comes at each boot, and is not on its disk', async () => {
    await using project = await TestProject.create({ files: { Machinefile: machinefile(box) } });
    const guest = new Guest(project);
    await project.ok('up');
    const expected = await guest.expected();
    expect(await guest.identity()).toEqual(expected);
    await guest.reboot(reboot);
    expect(await guest.identity()).toEqual(expected);
    await project.ok('halt');
    await project.ok('up');
    expect(await guest.identity()).toEqual(expected);

    await guest.run('sync');
    await project.ok('halt');
    const disk = await writtenBytes(project);
    expect(disk.includes(WRITTEN)).toBe(true);
    for (const [name, bytes] of Object.entries(await guest.secrets())) expect(disk.includes(bytes), name).toBe(false);
    // A line of /etc/hosts, which the next boot of whatever machine replaces, and nowhere else.
    expect(new Set(before(disk, HOST_NAME, 10))).toEqual(new Set(['127.0.1.1 ']));
  });
});

test('keys that somebody adds stay, without that of the host', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  const guest = new Guest(project);
  await project.ok('up');
  await guest.run('echo "ssh-ed25519 AAAA first" >>~/.ssh/authorized_keys');
  // At the next login at the latest.
  expect(await guest.run('cat ~/.ssh/authorized_keys.kept')).toBe('ssh-ed25519 AAAA first\n');
  await guest.run('sed -i "s/first/second/" ~/.ssh/authorized_keys');
  await guest.reboot('reboot');
  expect(await guest.run('tail -n 1 ~/.ssh/authorized_keys')).toBe('ssh-ed25519 AAAA second\n');
  expect(await guest.run('cat ~/.ssh/authorized_keys.kept')).toBe('ssh-ed25519 AAAA second\n');
});

test('an environment that changed while the machine runs is there again after its next up', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny('environment: { A: "1" }') } });
  const guest = new Guest(project);
  const show = () => guest.run('echo "$A $B"; cat /etc/environment');
  await project.ok('up');
  await guest.run('echo B=own >/etc/environment');
  expect(await show()).toBe('1 own\nB=own\n');
  await project.write('Machinefile', oneTiny('environment: { A: "2" }'));
  await project.ok('up');
  expect(await show()).toBe('2 own\nB=own\n');
  await guest.reboot('reboot');
  await project.ok('up');
  expect(await show()).toBe('2 own\nB=own\n');
  await project.ok('reload');
  expect(await show()).toBe('2 own\nB=own\n');
});
