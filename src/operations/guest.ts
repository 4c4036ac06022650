import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Communicator, SshEndpoint } from '../communicators/communicator.ts';
import { type OpensshMachine, type OpensshTarget, opensshConfig, stopMasterCommand } from '../communicators/openssh.ts';
import { StateError } from '../errors.ts';
import { run } from '../host/exec.ts';
import { writeFileAtomic } from '../host/files.ts';
import { machineLayout, runtimeLayout } from '../machine/layout.ts';
import type { MachineRecord } from '../machine/record.ts';
import type { MachineHandle, RecordedMachine } from '../providers/provider.ts';
import type { ExistingMachine, Project } from './project.ts';
import { requireMachine } from './project.ts';
import type { Services } from './services.ts';

export const CONNECT_TIMEOUT_MS = 30_000;

/** Where the guest is reached and which host key it must show. */
export async function endpointOf({ record, layout }: RecordedMachine): Promise<SshEndpoint> {
  const { hostIp, port, user, privateKeyPath } = record.ssh;
  const hostKey = (await readFile(layout.hostPublicKeyPath, 'utf8')).trim();
  return { hostIp, port, user, privateKeyPath: privateKeyPath ?? layout.privateKeyPath, hostKey };
}

/** A guest that is connected to only when somebody wants something of it. Disposing it closes the connection. */
export class LazyGuest implements AsyncDisposable {
  readonly #machine: RecordedMachine;
  readonly #services: Services;
  #connection: Promise<Communicator> | undefined;

  constructor(machine: RecordedMachine, services: Services, connected?: Communicator) {
    this.#machine = machine;
    this.#services = services;
    this.#connection = connected && Promise.resolve(connected);
  }

  communicator(): Promise<Communicator> {
    this.#connection ??= this.#connect();
    return this.#connection;
  }

  /** The connection, if somebody has wanted one and it could be made. */
  async ifConnected(): Promise<Communicator | undefined> {
    return this.#connection?.catch(() => undefined);
  }

  async #connect(): Promise<Communicator> {
    const { guests, signal } = this.#services;
    return guests.connect(await endpointOf(this.#machine), { signal, timeoutMs: CONNECT_TIMEOUT_MS });
  }

  /** Closes the connection, should it be broken; the next use makes another. */
  async disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    const communicator = await connection?.catch(() => undefined);
    await communicator?.[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }
}

/** Writes the machine's OpenSSH configuration into its runtime folder. Repeatable. */
export async function writeSshConfig({ record }: RecordedMachine): Promise<void> {
  const { sshConfigPath, sshControlPath, machineLinkPath } = runtimeLayout(record.runtimeDir);
  await writeFileAtomic(sshConfigPath, opensshConfig(opensshMachine(record, machineLinkPath), sshControlPath));
}

/** The machine as the system's OpenSSH is told of it; its keys are looked for in `machineDir`. */
export function opensshMachine({ machine, ssh }: MachineRecord, machineDir: string): OpensshMachine {
  const { privateKeyPath, knownHostsPath } = machineLayout(machineDir);
  const { hostIp, port, user, forwardAgent, forwardX11 } = ssh;
  return {
    alias: machine,
    hostIp,
    port,
    user,
    privateKeyPath: ssh.privateKeyPath ?? privateKeyPath,
    knownHostsPath,
    forwardAgent,
    forwardX11,
  };
}

/** How the system's OpenSSH reaches a running machine. Its configuration is written anew, should it be gone. */
export async function opensshTarget(machine: RecordedMachine): Promise<OpensshTarget> {
  const { record } = machine;
  const { sshConfigPath } = runtimeLayout(record.runtimeDir);
  if (!existsSync(sshConfigPath)) await writeSshConfig(machine);
  return { configPath: sshConfigPath, alias: record.machine, extraArgs: record.ssh.extraArgs };
}

/** Ends the shared connection of the system's ssh, which would otherwise outlive the guest. */
export async function closeSharedConnection({ name, runtimeDir }: MachineHandle): Promise<void> {
  const runtime = runtimeLayout(runtimeDir);
  if (!existsSync(runtime.sshControlPath)) return;
  await run(stopMasterCommand({ configPath: runtime.sshConfigPath, alias: name })).catch(() => {
    // Its master is gone already; the socket goes with the runtime folder.
  });
}

/**
 * The machine, if its hypervisor runs.
 * @throws StateError with the way to start it.
 */
export async function requireRunning(project: Project, name: string, services: Services): Promise<ExistingMachine> {
  const machine = await requireMachine(project, name);
  const observed = await services.providers[machine.record.provider].state(machine);
  switch (observed.kind) {
    case 'running':
      return machine;
    case 'paused':
      throw new StateError(`${name} is paused: ${observed.reason}`, { hint: `vm up ${name} lets it run on` });
    case 'suspended':
    case 'restoring':
      throw new StateError(`${name} is suspended`, { hint: `vm resume ${name} lets it go on` });
    case 'broken':
      throw new StateError(`${name} is broken: ${observed.reason}`, { hint: `vm up --recreate ${name} makes it anew` });
    case 'stopped':
      throw new StateError(`${name} is stopped`, { hint: `vm up ${name} starts it` });
  }
}
