import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BoxStore } from '../../src/boxes/store.ts';
import { GuestError } from '../../src/errors.ts';
import { identifyProcess, type ProcessIdentity } from '../../src/host/processes.ts';
import { LayerStore } from '../../src/layers/layer-store.ts';
import { LedgerStore } from '../../src/machine/ledger-store.ts';
import { MachineIndex } from '../../src/machine/machine-index.ts';
import type { MachinePlan } from '../../src/machine/plan.ts';
import type { Services } from '../../src/operations/services.ts';
import type { MachineHandle, Provider, StopOptions, StopOutcome } from '../../src/providers/provider.ts';
import { qemuProvider } from '../../src/providers/qemu/provider.ts';

/** A guest that does what it is told; it does not hear the power button. */
export class FakeGuest {
  /** What it was told to run, in order. */
  readonly scripts: string[] = [];
  /** The machines that were started. */
  readonly started: MachinePlan[] = [];
  /** Whether it boots at all. */
  boots = true;
  #letsIn = true;

  async connect() {
    if (!this.#letsIn) throw new GuestError('the guest does not accept the key');
    return {
      exec: async ({ script }: { readonly script: string }) => {
        this.scripts.push(script);
        if (script.includes('rm -rf "$home/.ssh"')) this.#letsIn = false;
        return { exitCode: 0, stdout: '', stderr: '' };
      },
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async waitUntilReady() {
    if (!this.boots) throw new GuestError('the kernel of the guest panicked');
    return this.connect();
  }
}

/** Real folders, boxes and disks; the guest, and what runs it, are not real. */
export function fakeServices(homeDir: string, guest: FakeGuest): Services {
  const boxes = new BoxStore(homeDir);
  return {
    reporter: { report: () => {} },
    signal: new AbortController().signal,
    dirs: { homeDir, runtimeDir: join(homeDir, 'run') },
    uid: process.getuid?.() ?? 0,
    arch: 'x86_64',
    boxes,
    layers: new LayerStore(homeDir, boxes),
    recipesDir: join(homeDir, 'recipes'),
    openHttp: () => Promise.reject(new Error('nothing is downloaded here')),
    vagrantServerUrl: undefined,
    dockerConfigPath: join(homeDir, 'config.json'),
    index: new MachineIndex(homeDir),
    ledgers: new LedgerStore(homeDir),
    providers: { qemu: fakeProvider(guest) },
    guests: { connect: () => guest.connect(), waitUntilReady: () => guest.waitUntilReady() },
    startInBackground: async () => {},
    hasVde: async () => false,
    resolveAccelerator: () => 'tcg',
  };
}

function fakeProvider(guest: FakeGuest): Provider {
  const running = new Map<string, ProcessIdentity>();
  const stop = async ({ id }: MachineHandle, options: StopOptions): Promise<StopOutcome> => {
    if (!running.delete(id)) return 'already_stopped';
    if (options.force) return 'quit';
    return options.powerOffGuest().then(
      () => 'guest_poweroff',
      () => 'quit',
    );
  };
  return {
    ...qemuProvider,
    check: async () => {},
    async start(plan) {
      const self = identifyProcess(process.pid);
      if (self === undefined) throw new Error('this process has no identity');
      await mkdir(plan.runtime.runtimeDir, { recursive: true });
      running.set(plan.id, self);
      guest.started.push(plan);
      return self;
    },
    stop: async (machine, options) => ({ outcome: await stop(machine, options), lastFigures: undefined }),
    meter: async () => undefined,
    async release(machine) {
      await stop(machine, { force: true });
    },
    async state({ record }) {
      const process = running.get(record.id);
      return process === undefined ? { kind: 'stopped' } : { kind: 'running', process };
    },
  };
}
