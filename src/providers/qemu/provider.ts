import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { MissingToolError, StateError, VmError } from '../../errors.ts';
import { findTool } from '../../host/exec.ts';
import { readTail } from '../../host/files.ts';
import { isAlive } from '../../host/processes.ts';
import { lastLines } from '../../machine/console-text.ts';
import { runtimeLayout } from '../../machine/layout.ts';
import type { MachinePlan } from '../../machine/plan.ts';
import type { Provider, RecordedMachine } from '../provider.ts';
import { CONSOLE_ID, qemuBinary, qemuCommand } from './args.ts';
import { findFatalConsoleText } from './boot-diagnosis.ts';
import { isConnected } from './chardevs.ts';
import { checkDiskPlaces } from './disk-args.ts';
import { addCommands, createCommands, createDisks, ensureDisks } from './disks.ts';
import { uefiOf } from './firmware.ts';
import { applyForwards, observeForwards } from './forwards.ts';
import { freezeDisks, prepareReset, resetDisks, settleFreeze } from './freeze.ts';
import { restoreMemory } from './memory-restore.ts';
import { saveMemory } from './memory-save.ts';
import { meterQemu } from './meter.ts';
import { findQemu } from './process.ts';
import { OBSERVER_TIMEOUT_MS, QmpClient, withMonitor } from './qmp.ts';
import { runOn } from './run-on.ts';
import { startQemu } from './start.ts';
import { stopQemu } from './stop.ts';
import { startFromTemplate, templateTraits } from './template.ts';

const SCREENSHOT_TIMEOUT_MS = 5000;

/** Machines as QEMU processes of this user: no daemon, no privileges. */
export const qemuProvider: Provider = {
  async check(plan) {
    const tools: [tool: string, packageName: string][] = [
      [qemuBinary(plan.spec.arch), plan.spec.arch === 'x86_64' ? 'qemu-system-x86' : 'qemu-system-arm'],
      ['qemu-img', 'qemu-utils'],
    ];
    for (const [tool, packageName] of tools) {
      if (findTool(tool) === undefined) throw new MissingToolError(tool, { hint: `apt install ${packageName}` });
    }
    uefiOf(plan.spec);
    checkForwards(plan);
    checkDiskPlaces(plan);
  },

  create: (plan, context) => createDisks(plan, context.signal),

  describeCreate: (plan) => createCommands(plan, uefiOf(plan.spec)),

  ensureDisks: (plan, context) => ensureDisks(plan, context.signal),

  describeStart: (plan) => [...addCommands(plan), qemuCommand(plan, uefiOf(plan.spec))],

  start: (plan, context) => startQemu(plan, context.signal),

  forwards: observeForwards,

  applyForwards,

  freezeDisks: (machine, disks, context) => freezeDisks(machine, disks, context.signal),

  settleFreeze,

  prepareReset: (disks, context) => prepareReset(disks, context.signal),

  resetDisks,

  unpause: ({ record }) => runOn(runtimeLayout(record.runtimeDir).monitorPath),

  saveMemory,

  restoreMemory,

  templateTraits,

  startFromTemplate,

  stop: (machine, options, context) => stopQemu(machine, options, context.signal),

  meter: meterQemu,

  async release(machine, context) {
    await stopQemu(machine, { force: true }, context.signal);
    await rm(machine.runtimeDir, { recursive: true, force: true });
  },

  async state(machine) {
    const qemu = findQemu({ id: machine.record.id, layout: machine.layout });
    const isSaved = existsSync(machine.layout.memory.factsPath);
    if (qemu === undefined) {
      // A freeze that was killed is settled by the next command that changes the machine.
      const { freezing, savingSnapshot } = machine.record;
      const isSettled = freezing === undefined && savingSnapshot === undefined;
      const missing = diskPathsOf(machine).find((path) => isSettled && !existsSync(path));
      if (missing !== undefined) return { kind: 'broken', reason: `its disk ${missing} is gone` };
      return { kind: isSaved ? 'suspended' : 'stopped' };
    }
    const reason = await pauseReason(machine);
    if (reason === undefined) return { kind: 'running', process: qemu };
    // Until the memory is known to be whole its facts are there, and the guest is not let run.
    const isRestoring = reason === 'inmigrate' || (reason === 'paused' && isSaved);
    return isRestoring ? { kind: 'restoring', process: qemu } : { kind: 'paused', process: qemu, reason };
  },

  async screenshot({ record }, path) {
    const { monitorPath } = runtimeLayout(record.runtimeDir);
    using monitor = await QmpClient.connect(monitorPath, SCREENSHOT_TIMEOUT_MS);
    await monitor.execute('screendump', { filename: path, format: 'png' }).catch((cause: unknown) => {
      if (!(cause instanceof StateError)) throw cause;
      const hint = cause.message.includes("'format'")
        ? 'screenshots need QEMU 7.1 or newer'
        : `give it a screen: display: vnc, then vm reload ${record.machine}`;
      throw new StateError(`${record.machine}: ${cause.message}`, { hint, cause });
    });
  },

  async isConsoleTaken({ record }) {
    const { monitorPath } = runtimeLayout(record.runtimeDir);
    const devices = await withMonitor(monitorPath, OBSERVER_TIMEOUT_MS, (monitor) => monitor.execute('query-chardev'));
    return isConnected(devices, CONSOLE_ID);
  },

  async networkMark({ record }) {
    const { monitorPath } = runtimeLayout(record.runtimeDir);
    // A driver that brings the card up sets its filter: out of promiscuous mode, with the addresses it listens to.
    const filter = await withMonitor(monitorPath, OBSERVER_TIMEOUT_MS, (monitor) => monitor.execute('query-rx-filter'));
    return filter === undefined ? undefined : JSON.stringify(filter);
  },

  async diagnoseBoot(machine, qemu) {
    const { layout } = machine;
    if (!isAlive(qemu))
      return `QEMU ended; it said:\n${lastLines((await readTail(layout.hypervisorLogPath)) || '(nothing)')}`;
    if ((await pauseReason(machine)) === 'io-error') return 'QEMU paused the guest: the disk of the host is full';
    return findFatalConsoleText(await readTail(layout.serialLogPath));
  },
};

function diskPathsOf({ record, layout }: RecordedMachine): string[] {
  const length = record.box?.extraDiskCount ?? 0;
  return [layout.diskPath, ...Array.from({ length }, (_, i) => layout.extraDiskPath(i + 1))];
}

/** Why QEMU holds the guest still; undefined when it runs, or when the monitor is busy. */
async function pauseReason({ record }: RecordedMachine): Promise<string | undefined> {
  const { monitorPath } = runtimeLayout(record.runtimeDir);
  const status = await withMonitor(monitorPath, OBSERVER_TIMEOUT_MS, (monitor) => monitor.execute('query-status'));
  if (typeof status !== 'object' || status === null || !('status' in status)) return undefined;
  return status.status === 'running' ? undefined : String(status.status);
}

/** QEMU's user network forwards IPv4 only (hostfwd takes no IPv6 address, up to QEMU 10). */
function checkForwards({ spec, forwards }: MachinePlan): void {
  const ipv6 = forwards.find(({ hostIp }) => hostIp.includes(':'));
  if (ipv6 === undefined) return;
  throw new VmError(
    `${spec.name}: port ${ipv6.host} cannot be forwarded from ${ipv6.hostIp}: QEMU forwards IPv4 only`,
    {
      hint: 'use 127.0.0.1',
    },
  );
}
