import type { BoxStore } from '../boxes/store.ts';
import type { waitUntilReady } from '../communicators/ready.ts';
import type { connectSsh } from '../communicators/ssh.ts';
import type { RunContext } from '../context.ts';
import type { HostDirs } from '../host/dirs.ts';
import type { HttpClient } from '../http/http-client.ts';
import type { LayerStore } from '../layers/layer-store.ts';
import type { LedgerStore } from '../machine/ledger-store.ts';
import type { MachineIndex } from '../machine/machine-index.ts';
import type { Accelerator, Arch, ProviderName } from '../machinefile/spec.ts';
import type { Provider } from '../providers/provider.ts';

/** What operations work with; `cli/compose.ts` makes the real ones. */
export interface Services extends RunContext {
  readonly dirs: HostDirs;
  /** User id that must own the runtime folder. */
  readonly uid: number;
  /** Of this host. */
  readonly arch: Arch;
  readonly boxes: BoxStore;
  /** What machines are made of in place of a box, to have steps done before they start. */
  readonly layers: LayerStore;
  /** The recipes that come with vm. */
  readonly recipesDir: string;
  /** Connections to servers, for what is to be downloaded; dispose it after use. */
  openHttp(): Promise<HttpClient>;
  /** Where names of boxes that are not known here are looked up; absent: nowhere. */
  readonly vagrantServerUrl: string | undefined;
  /** Docker's `config.json`, where logins to registries are. */
  readonly dockerConfigPath: string;
  readonly index: MachineIndex;
  /** What machines have used. */
  readonly ledgers: LedgerStore;
  readonly providers: Readonly<Record<ProviderName, Provider>>;
  readonly guests: {
    readonly connect: typeof connectSsh;
    readonly waitUntilReady: typeof waitUntilReady;
  };
  /**
   * Starts another vm that works on after this one has ended, when the processor has nothing better to do. It replaces what
   * is in the file with what it has to say.
   */
  startInBackground(args: readonly string[], outputPath: string): Promise<void>;
  /** Whether networks can have a switch of their own: one is installed, and QEMU can be connected to it. */
  hasVde(): Promise<boolean>;
  /** What `accel` of a machine comes down to on this host. @throws VmError when it does not work here. */
  resolveAccelerator(wanted: Accelerator | 'auto'): Accelerator;
}
