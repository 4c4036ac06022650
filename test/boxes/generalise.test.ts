import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SeedKind } from '../../src/boxes/box.ts';
import { BUILD_PATH, chooseBuildMode, confined } from '../../src/boxes/build-mode.ts';
import { findTool } from '../../src/host/exec.ts';
import { generaliseScript } from '../../src/operations/packaging/generalise.ts';

const runProgram = promisify(execFile);

/** What every guest has, and it has nothing else. */
const TOOLS = 'cat chmod chown cut df env find grep id ln mkdir rm rmdir sed sleep sync'.split(' ');

const PASSWD = `root:x:0:0::/root:/bin/sh
vm:x:1000:1000::/home/vm:/bin/sh
git:x:998:998::/srv/git:/bin/sh
nobody:x:65534:65534::/nonexistent:/bin/false
vagrant:x:0:0::/home/vagrant:/bin/sh
`;

/** What is one machine's own, or tells of it. */
const OWN = [
  'etc/NetworkManager/system-connections/cloud-init-eth0.nmconnection',
  'etc/netplan/50-cloud-init.yaml',
  'etc/ssh/ssh_host_ed25519_key',
  'home/vm/.local/share/fish/fish_history',
  'home/vm/.python_history',
  'home/vm/.ssh/authorized_keys',
  'root/.ash_history',
  'root/.ssh/id_ed25519',
  'srv/git/.bash_history',
  'srv/git/.ssh/authorized_keys',
  'tmp/secrets/token',
  'var/crash/kernel.0',
  'var/lib/cloud/instances/i-1/user-data.txt',
  'var/lib/dhcp/dhclient.eth0.leases',
  'var/lib/dhcpcd/duid',
  'var/lib/dhcpcd/secret',
  'var/lib/lastlog/lastlog2.db',
  'var/lib/systemd/coredump/core.sshd.zst',
  'var/lib/systemd/credential.secret',
  'var/lib/wicked/duid.xml',
  'var/lib/wtmpdb/wtmp.db',
  'var/log/auth.log.1',
  'var/log/journal/1234/system.journal',
  'var/tmp/core',
];
/** What the machine was made for. */
const KEPT = [
  'etc/NetworkManager/system-connections/office.nmconnection',
  'home/vm/.profile',
  'srv/git/project.git/HEAD',
  'tmp/systemd-private-1234-chrony/tmp/lock',
];

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'vm-guest-'));
  for (const [name, tool] of [['sh', 'dash'], ...TOOLS.map((name) => [name, name])]) {
    await addTool(String(name), findTool(String(tool), BUILD_PATH) ?? `/nonexistent/${tool}`);
  }
  await add('dev/null', '');
  await add('etc/passwd', PASSWD);
});

afterEach(() => rm(root, { recursive: true }));

async function add(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, name)), { recursive: true });
  await writeFile(join(root, name), text);
}

/** A program of this host, with what it is linked to. */
async function addTool(name: string, path: string): Promise<void> {
  const { stdout } = await runProgram('ldd', [path]);
  const libraries = (stdout.match(/\/\S+/g) ?? []).map((library): [string, string] => [library.slice(1), library]);
  for (const [target, source] of [[`bin/${name}`, path] as const, ...libraries]) {
    await mkdir(dirname(join(root, target)), { recursive: true });
    await copyFile(source, join(root, target));
  }
}

async function addScript(name: string, script: string): Promise<void> {
  await rm(join(root, 'bin', name), { force: true });
  await add(`bin/${name}`, `#!/bin/sh\n${script}\n`);
  await chmod(join(root, 'bin', name), 0o755);
}

async function generalise(seed: SeedKind): Promise<void> {
  const script = ['chroot', root, '/bin/env', '-i', 'PATH=/bin', '/bin/sh', '-c', generaliseScript(seed)];
  const [file = '', ...args] = script;
  const command = confined(await chooseBuildMode(new AbortController().signal), { file, args });
  await runProgram(command.file, command.args, { env: { PATH: BUILD_PATH } });
}

/** All files but the tools, sorted. */
async function files(): Promise<string[]> {
  const { stdout } = await runProgram(
    'find',
    ['.', '-type', 'f', '-not', '-regex', './\\(bin\\|lib\\|usr\\|dev\\).*'],
    {
      cwd: root,
    },
  );
  return stdout
    .trimEnd()
    .split('\n')
    .map((path) => path.slice(2))
    .sort();
}

test('a guest that has nothing of what is looked for is as it was, but for its name', async () => {
  await generalise('cloud-init');
  expect(await files()).toEqual(['etc/hostname', 'etc/passwd']);
});

test('what is its own is removed, whoever has it; all else stays', async () => {
  for (const name of [...OWN, ...KEPT, 'var/log/app.log']) await add(name, 'something');
  await addScript('cloud-init', '');
  await add('etc/hosts', '127.0.0.1 localhost\n127.0.1.1 web web\n10.0.0.1 registry\n');
  await add('etc/machine-id', '0123456789abcdef0123456789abcdef\n');
  await generalise('cloud-init');
  const left = ['etc/hostname', 'etc/hosts', 'etc/machine-id', 'etc/passwd', 'var/log/app.log'];
  expect(await files()).toEqual([...KEPT, ...left].sort());
  const read = (name: string) => readFile(join(root, name), 'utf8');
  expect(await read('etc/hosts')).toBe('127.0.0.1 localhost\n10.0.0.1 registry\n');
  expect(await Promise.all(['etc/machine-id', 'var/log/app.log', 'etc/hostname'].map(read))).toEqual([
    '',
    '',
    'localhost\n',
  ]);
});

test('a home on a server is others’, too', async () => {
  await add('etc/passwd', `${PASSWD}far:x:1001:1001::/home/far:/bin/sh\n`);
  await addScript('df', 'echo Filesystem; case $2 in /home/far) echo server:/home ;; *) echo /dev/vda ;; esac');
  for (const home of ['far', 'vm']) await add(`home/${home}/.ssh/id_ed25519`, 'something');
  await generalise('cloud-init');
  expect(await files()).toEqual(['etc/hostname', 'etc/passwd', 'home/far/.ssh/id_ed25519']);
});

describe('for Vagrant', () => {
  test('its user is let in by the keys that everybody has, and by nothing else', async () => {
    await add('home/vagrant/.ssh/authorized_keys', 'ssh-ed25519 AAAA somebody\n');
    await generalise('vagrant');
    const keys = (await readFile(join(root, 'home/vagrant/.ssh/authorized_keys'), 'utf8')).trimEnd().split('\n');
    expect(keys).toEqual([expect.stringMatching(/^ssh-rsa AAAAB3/)]);
    expect(await readFile(join(root, 'etc/sudoers.d/vagrant'), 'utf8')).toBe('vagrant ALL=(ALL) NOPASSWD: ALL\n');
  });

  test('host keys are made without a cycle in the order of systemd’s units', async () => {
    for (const dir of ['run', 'etc']) await mkdir(join(root, dir, 'systemd/system'), { recursive: true });
    for (const tool of ['systemctl', 'journalctl']) await addScript(tool, '');
    await generalise('vagrant');
    const unit = await readFile(join(root, 'etc/systemd/system/ssh-host-keys.service'), 'utf8');
    expect(unit).toContain('\nBefore=ssh.service sshd.service\n');
  });
});
