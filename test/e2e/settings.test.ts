import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installerIso } from '../support/boot-iso.ts';
import { readAll } from '../support/host-ports.ts';
import { oneTiny } from '../support/machinefiles.ts';
import { TestProject } from '../support/test-project.ts';

/** Until the firmware has started something. */
const BIOS_TIMEOUT_MS = 60_000;

test('cpus, memory, disk, hostname, ports, extra arguments, message', async () => {
  await using project = await TestProject.create({
    files: {
      Machinefile: `machines:
  m:
    box: tiny
    cpus: 2
    memory: 320MiB
    disk: 2GiB
    hostname: renamed
    ports: ["127.0.0.1::8000", "5353/udp"]
    qemu: { args: [-global, "virtio-net-pci.host_mtu=1400"] }
    message: it is there
`,
    },
  });
  expect(await project.ok('up')).toContain('it is there');
  expect(await project.ok('exec', '--', 'nproc')).toBe('2\n');
  expect(await project.ok('exec', '--', 'hostname')).toBe('renamed\n');
  const facts = await project.ok(
    'exec',
    '--',
    'sh',
    '-c',
    "awk '/MemTotal/ { print $2 }' /proc/meminfo; df -k / | awk 'END { print $2 }'; cat /sys/class/net/eth0/mtu",
  );
  const [memoryKb = 0, diskKb = 0, mtu] = facts.split('\n').map(Number);
  expect(memoryKb).toBeGreaterThan(256 * 1024);
  expect(diskKb).toBeGreaterThan(1.8 * 1024 ** 2);
  expect(mtu).toBe(1400);

  const { ports } = await project.status('m');
  expect(ports).toMatchObject([
    { host_ip: '127.0.0.1', guest: 8000, protocol: 'tcp' },
    { host_ip: '127.0.0.1', guest: 5353, protocol: 'udp' },
  ]);
  await project.ok('exec', '--', 'sh', '-c', 'echo served | nc -l -p 8000 >/dev/null 2>&1 &');
  // In the background the program may take a moment to listen.
  await expect.poll(() => readAll(ports[0]?.host ?? 0), { timeout: 10_000 }).toBe('served\n');
});

test('UEFI: the guest boots by it, and keeps its variables', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny('firmware: uefi') } });
  await project.ok('up');
  expect(await project.ok('exec', '--', 'ls', '-d', '/sys/firmware/efi')).toBe('/sys/firmware/efi\n');
  await project.ok('reload');
});

test('installing by hand: an empty disk leaves the boot to the cdrom, whose installer makes it boot by itself', async () => {
  const files = { Machinefile: 'machines: { m: { cdrom: ./installer.iso, disk: 1GiB, sync: [".:/srv"] } }\n' };
  await using project = await TestProject.create({ files });
  const texts = { installed: 'the system is installed\r\n', system: 'hello from the disk\r\n' };
  await writeFile(join(project.dir, 'installer.iso'), installerIso(texts));
  const screen = async () => readFile((await project.ok('screenshot')).trim());
  const consoleText = () => project.ok('logs');

  const { stdout, stderr } = await project.vm('up');
  expect(stdout).toBe('m is started: vm screenshot m shows its screen\n');
  expect(stderr).toContain('warning: m: has no box, so sync is left to vm sync');
  await expect.poll(consoleText, { timeout: BIOS_TIMEOUT_MS }).toBe(texts.installed);
  const installer = await screen();
  expect(installer.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  expect((await screen()).equals(installer)).toBe(true);

  expect(await project.ok('reload', '--force')).toBe('m is up again\n');
  await expect.poll(consoleText, { timeout: BIOS_TIMEOUT_MS }).toBe(texts.system);
  expect((await screen()).equals(installer)).toBe(false);
  expect(await project.status('m')).toMatchObject({ state: 'running' });
  await project.ok('halt', '--force');
});

test('a VNC display listens where only its owner reaches it', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny('display: vnc') } });
  await project.ok('up');
  const socketPath = (await project.ok('up', '--dry-run')).match(/vnc=unix:([^ ']*)/)?.[1] ?? '';
  const greeting = await new Promise<string>((resolve, reject) => {
    const socket = connect(socketPath);
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString('latin1'));
    });
    socket.once('error', reject);
  });
  expect(greeting).toMatch(/^RFB 003/);
});
