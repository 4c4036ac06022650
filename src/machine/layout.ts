import { join } from 'node:path';
import type { MemoryFiles } from './memory.ts';
import type { DiskRecord } from './record.ts';

/** Every path of a machine's folder: no other file spells one out. */
export interface MachineLayout {
  readonly machineDir: string;
  readonly recordPath: string;
  /** The root disk. */
  readonly diskPath: string;
  readonly nvramPath: string;
  readonly privateKeyPath: string;
  readonly publicKeyPath: string;
  readonly hostKeyPath: string;
  readonly hostPublicKeyPath: string;
  readonly knownHostsPath: string;
  /** What the guest is seeded with; written anew at each start. */
  readonly seedTarPath: string;
  readonly cloudInitDir: string;
  readonly pidPath: string;
  readonly serialLogPath: string;
  /** Standard output and error of the hypervisor. */
  readonly hypervisorLogPath: string;
  /** What was in the memory of a machine that is suspended. */
  readonly memory: MemoryFiles;
  /** The overlay of a disk that the box has after its root disk; they count from 1. */
  extraDiskPath(number: number): string;
  /** A disk of the Machinefile's `disks`. */
  ownDiskPath(disk: DiskRecord): string;
}

export function machineLayout(machineDir: string): MachineLayout {
  const at = (name: string) => join(machineDir, name);
  return {
    machineDir,
    recordPath: at('record.json'),
    diskPath: at('disk.qcow2'),
    nvramPath: at('nvram.qcow2'),
    privateKeyPath: at('id_ed25519'),
    publicKeyPath: at('id_ed25519.pub'),
    hostKeyPath: at('ssh_host_ed25519_key'),
    hostPublicKeyPath: at('ssh_host_ed25519_key.pub'),
    knownHostsPath: at('known_hosts'),
    seedTarPath: at('seed.tar'),
    cloudInitDir: at('cloud-init'),
    pidPath: at('qemu.pid'),
    serialLogPath: at('serial.log'),
    hypervisorLogPath: at('qemu.log'),
    memory: { statePath: at('memory.state'), factsPath: at('memory.json') },
    extraDiskPath: (number) => at(`disk-${number}.qcow2`),
    ownDiskPath: ({ name, format }) => at(`own-${name}.${format}`),
  };
}

/** The sockets of a running machine: below the runtime folder, because a socket's path must be short. */
export interface RuntimeLayout {
  readonly runtimeDir: string;
  readonly monitorPath: string;
  readonly consolePath: string;
  /** The VNC server of a machine with `display: vnc`. */
  readonly displayPath: string;
  /** Over it a machine's memory is saved, or restored. */
  readonly memoryPath: string;
  /** The serial port on which a guest that is started from another's memory is told who it is. */
  readonly agentPath: string;
  readonly sshControlPath: string;
  /** The machine's OpenSSH configuration. */
  readonly sshConfigPath: string;
  /** A link to the machine's folder: a path without the spaces, quotes and percent signs a project's may have. */
  readonly machineLinkPath: string;
}

export function runtimeLayout(runtimeDir: string): RuntimeLayout {
  const at = (name: string) => join(runtimeDir, name);
  return {
    runtimeDir,
    monitorPath: at('qmp.sock'),
    consolePath: at('tty.sock'),
    displayPath: at('vnc.sock'),
    memoryPath: at('mem.sock'),
    agentPath: at('agent.sock'),
    sshControlPath: at('ssh.sock'),
    sshConfigPath: at('ssh.config'),
    machineLinkPath: at('machine'),
  };
}

/** The runtime folder of one machine; its name is short and unique to the machine's id. */
export function machineRuntimeDir(hostRuntimeDir: string, machineId: string): string {
  return join(hostRuntimeDir, machineId.slice(0, 13).replaceAll('-', ''));
}

/** Every path of a volume's folder. */
export interface VolumeLayout {
  readonly volumeDir: string;
  readonly recordPath: string;
  /** The disk, raw and sparse: a file system without a partition table. */
  readonly dataPath: string;
}

export function volumeLayout(volumeDir: string): VolumeLayout {
  return { volumeDir, recordPath: join(volumeDir, 'volume.json'), dataPath: join(volumeDir, 'volume.raw') };
}

/** The folders of a project's state. */
export interface ProjectLayout {
  readonly stateDir: string;
  readonly gitignorePath: string;
  readonly machinesDir: string;
  readonly volumesDir: string;
  readonly locksDir: string;
  /** What `vm scale` has said. */
  readonly scalePath: string;
  machineDir(machine: string): string;
  volumeDir(volume: string): string;
  lockDir(machine: string): string;
  volumeLockDir(volume: string): string;
}

export function projectLayout(projectDir: string): ProjectLayout {
  const stateDir = join(projectDir, '.vm');
  const machinesDir = join(stateDir, 'machines');
  const volumesDir = join(stateDir, 'volumes');
  const locksDir = join(stateDir, 'locks');
  return {
    stateDir,
    gitignorePath: join(stateDir, '.gitignore'),
    machinesDir,
    volumesDir,
    locksDir,
    scalePath: join(stateDir, 'scale.json'),
    machineDir: (machine) => join(machinesDir, machine),
    volumeDir: (volume) => join(volumesDir, volume),
    lockDir: (machine) => join(locksDir, machine),
    // No machine's name has a dot.
    volumeLockDir: (volume) => join(locksDir, `volume.${volume}`),
  };
}
