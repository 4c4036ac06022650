import { readDiskSize } from '../../boxes/formats/disk-size.ts';
import { asRoot } from '../../communicators/as-root.ts';
import { inPhase } from '../../context.ts';
import { GuestError, StateError, TimeoutError, VmError } from '../../errors.ts';
import type { PendingLayer } from '../../layers/layer-store.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { LazyGuest } from '../guest.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { type ChainStep, findLayer, isTimed, type StepChain } from './chain.ts';
import { freezableDisks, settleFreezing } from './freezing.ts';
import { stepKey } from './keys.ts';

/** A state of a machine that is to be kept. */
interface Moment {
  readonly key: string;
  readonly parentKey: string | undefined;
  readonly done: ChainStep | undefined;
  /** What the step printed. */
  readonly output: string | undefined;
}

export interface WorkingMachine {
  readonly record: MachineRecord;
  readonly guest: LazyGuest;
}

/**
 * Keeps the states that a new machine goes through as layers, for others. Only while nothing but its steps, in their order
 * and each at the first attempt, has changed it since it was made: what its user or a failed step did belongs to no
 * other machine.
 */
export class LayerWriter implements AsyncDisposable {
  readonly #project: Project;
  readonly #chain: StepChain;
  readonly #services: Services;
  /** With `--no-cache` also what is there already: it is not trusted. */
  readonly #keepsKnown: boolean;
  #next: number;
  #parent: string;
  #publishing: Promise<boolean> = Promise.resolve(true);
  #hasEnded = false;

  constructor(project: Project, chain: StepChain, options: { keepsKnown: boolean; services: Services }) {
    this.#project = project;
    this.#chain = chain;
    this.#services = options.services;
    this.#keepsKnown = options.keepsKnown;
    this.#next = chain.doneCount;
    this.#parent = chain.parent;
  }

  /** After the first boot, before anything was done in the guest. Gives the record as written. */
  async keepBase(machine: WorkingMachine): Promise<MachineRecord> {
    const { layer, baseKey, steps } = this.#chain;
    if (layer !== undefined || steps.length === 0) return machine.record;
    return this.#keep(machine, { key: baseKey, parentKey: undefined, done: undefined, output: undefined });
  }

  /** After a step has succeeded. Gives the record as written. */
  async keepStep(machine: WorkingMachine, name: string, output: string): Promise<MachineRecord> {
    const done = this.#chain.steps[this.#next];
    if (this.#hasEnded || done?.step.name !== name) {
      this.#hasEnded = true;
      return machine.record;
    }
    this.#next++;
    const { fingerprint } = done.ready;
    const { readDigests } = done;
    const key = stepKey({ parent: this.#parent, fingerprint, readDigests }, this.#chain.facts);
    return this.#keep(machine, { key, parentKey: this.#parent, done, output });
  }

  /** Waits until all that was kept is whole, and offered to others. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publishing;
  }

  async #keep(machine: WorkingMachine, moment: Moment): Promise<MachineRecord> {
    const { spec } = this.#chain.facts;
    const { layers } = this.#services;
    if (await this.#isKnown(moment)) {
      this.#parent = moment.key;
      return machine.record;
    }
    return inPhase(this.#services, spec.name, `keep ${moment.done?.step.name ?? 'first boot'}`, async () => {
      try {
        await writeBack(machine.guest, this.#services);
        const target = await layers.begin(moment.key);
        const frozen = await this.#freeze(machine.record, target);
        if (frozen.layer === target.id) this.#publish({ target, machine, moment });
        else this.#hasEnded = true;
        this.#parent = moment.done && isTimed(moment.done.step) ? target.id : moment.key;
        return frozen;
      } catch (error) {
        if (!(error instanceof VmError) || this.#services.signal.aborted) throw error;
        return await this.#giveUp(machine.record, error);
      }
    });
  }

  /** Another machine has come by here meanwhile. What is good for a limited time is never the same twice. */
  async #isKnown({ key, done }: Moment): Promise<boolean> {
    if (this.#keepsKnown || (done && isTimed(done.step))) return false;
    const machine = this.#chain.facts.spec.name;
    return (await findLayer(key, { services: this.#services, machine })) !== undefined;
  }

  async #freeze(record: MachineRecord, target: PendingLayer): Promise<MachineRecord> {
    const { states } = this.#project;
    const layout = states.layout(record.machine);
    const machine = { record, layout };
    await states.write({ ...record, freezing: { layerId: target.id } });
    try {
      const disks = freezableDisks(record, layout, target);
      await this.#services.providers[record.provider].freezeDisks(machine, disks, this.#services);
    } catch (error) {
      if (!(error instanceof StateError || error instanceof TimeoutError)) throw error;
      this.#warn(record, error);
    }
    // After a failure it tells what stands; otherwise there is nothing left to end.
    await settleFreezing(this.#project, record.machine, this.#services);
    return (await states.read(record.machine)) ?? record;
  }

  /** While the next step runs: hashing takes longer than freezing. Each after the one that it stands on. */
  #publish(kept: { target: PendingLayer; machine: WorkingMachine; moment: Moment }): void {
    const before = this.#publishing;
    this.#publishing = (async () => {
      if (!(await before)) return false;
      try {
        await this.#describe(kept);
        return true;
      } catch (error) {
        if (!(error instanceof VmError)) throw error;
        this.#warn(kept.machine.record, error);
        return false;
      }
    })();
    // Whoever disposes this hears of it.
    this.#publishing.catch(() => {});
  }

  async #describe({ target, machine, moment }: { target: PendingLayer; machine: WorkingMachine; moment: Moment }) {
    const { record } = machine;
    const { layers, signal } = this.#services;
    const disks = freezableDisks(record, this.#project.states.layout(record.machine), target);
    await layers.publish(
      target,
      {
        key: moment.key,
        parentKey: moment.parentKey,
        baseId: record.layer,
        boxKey: this.#chain.facts.box.key,
        step: moment.done?.step.name,
        stepFingerprint: moment.done?.ready.fingerprint,
        disks: await Promise.all(
          disks.map(async ({ id, frozenPath }) => ({ id, virtualSizeBytes: await readDiskSize(frozenPath) })),
        ),
        createdAt: new Date().toISOString(),
        madeBy: { project: record.project, machine: record.machine },
        ...(moment.output !== undefined && { output: moment.output }),
      },
      signal,
    );
  }

  /** The record on disk may say that a freeze is to be settled. */
  async #giveUp(record: MachineRecord, error: VmError): Promise<MachineRecord> {
    this.#hasEnded = true;
    this.#warn(record, error);
    return (await this.#project.states.read(record.machine)) ?? record;
  }

  #warn({ machine }: MachineRecord, { message }: VmError): void {
    this.#services.reporter.report({
      type: 'message',
      level: 'warning',
      subject: machine,
      text: `its state is not kept for other machines: ${message}`,
    });
  }
}

/** What the guest has written so far must be on its disk, not in its memory. */
async function writeBack(guest: LazyGuest, { signal }: Services): Promise<void> {
  const communicator = await guest.communicator();
  const { exitCode, stderr } = await communicator.exec({ script: asRoot('sync'), signal });
  if (exitCode !== 0) throw new GuestError(`the guest did not write its disk:\n  ${stderr.trim()}`, { exitCode });
}
