import { isDeepStrictEqual } from 'node:util';
import { inPhase } from '../../context.ts';
import { StateError, TimeoutError, VmError } from '../../errors.ts';
import type { Layer, PendingLayer } from '../../layers/layer.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { LazyGuest } from '../guest.ts';
import type { Project } from '../project.ts';
import type { ReadyStep } from '../provision/ready-step.ts';
import type { Services } from '../services.ts';
import { type ChainStep, findLayer, isTimed, type StepChain } from './chain.ts';
import { readDigestsOf, volumeFacts } from './facts.ts';
import { describeFrozen, freezableDisks, settleFreezing } from './freezing.ts';
import { stepKey } from './keys.ts';
import { writeBack } from './write-back.ts';

/** A state of a machine that is to be kept. */
interface Moment {
  readonly key: string;
  readonly parentKey: string | undefined;
  readonly done: ChainStep | undefined;
  /** What the step printed. */
  readonly output: string | undefined;
}

export interface LayerWriterOptions {
  /** With `--no-cache` also what is there already: it is not trusted. */
  readonly keepsKnown: boolean;
  /** Held until all is kept that other machines wait for. */
  readonly lead?: AsyncDisposable | undefined;
  readonly services: Services;
}

export interface WorkingMachine {
  readonly record: MachineRecord;
  readonly guest: LazyGuest;
}

interface Kept {
  readonly target: PendingLayer;
  /** Before it was frozen. */
  readonly record: MachineRecord;
  readonly moment: Moment;
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
  readonly #keepsKnown: boolean;
  readonly #lead: AsyncDisposable | undefined;
  #leadEnd: Promise<void> | undefined;
  #next: number;
  #parent: string;
  /** Gives the layer that was made last; undefined: none, or it could not be made. */
  #publishing: Promise<Layer | undefined> = Promise.resolve(undefined);
  #hasEnded = false;

  constructor(project: Project, chain: StepChain, options: LayerWriterOptions) {
    this.#project = project;
    this.#chain = chain;
    this.#services = options.services;
    this.#keepsKnown = options.keepsKnown;
    this.#lead = options.lead;
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
  async keepStep(machine: WorkingMachine, { step, ready }: ReadyStep, output: string): Promise<MachineRecord> {
    const { facts, steps } = this.#chain;
    const done = steps[this.#next];
    if (this.#hasEnded || done?.step !== step) return this.#end(machine.record);
    if (await this.#wasEdited(done)) return this.#end(machine.record);
    this.#next++;
    const volumes = await volumeFacts(this.#project, facts.spec);
    const { fingerprint } = ready;
    const { readDigests } = done;
    const key = stepKey({ parent: this.#parent, fingerprint, readDigests }, { ...facts, volumes });
    const record = await this.#keep(machine, { key, parentKey: this.#parent, done, output });
    if (this.#next === this.#chain.steps.length) this.#giveUpLead();
    return record;
  }

  /** Whether what the step reads has changed since it was looked at: nobody knows which of both it has read. */
  async #wasEdited({ step, readDigests }: ChainStep): Promise<boolean> {
    try {
      return !isDeepStrictEqual(await readDigestsOf(step, this.#services), readDigests);
    } catch (error) {
      if (!(error instanceof VmError) || this.#services.signal.aborted) throw error;
      return true;
    }
  }

  /** Waits until all that was kept is whole, and offered to others. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { states } = this.#project;
    this.#giveUpLead();
    // In any case: nothing of it works on after this, and its errors are heard of.
    await this.#publishing;
    await this.#leadEnd;
    const record = await states.readIfWhole(this.#chain.facts.spec.name);
    if (record?.unfinishedLayer === undefined) return;
    const finished = await this.#finished(record);
    if (finished !== undefined) await states.write(finished);
  }

  /** The record once the unfinished layer is one; undefined if that failed. */
  async #finished(record: MachineRecord): Promise<MachineRecord | undefined> {
    const { unfinishedLayer, ...rest } = record;
    if (unfinishedLayer === undefined) return record;
    const layer = await this.#publishing;
    return layer?.id === unfinishedLayer ? { ...rest, layer: layer.id } : undefined;
  }

  async #keep(machine: WorkingMachine, moment: Moment): Promise<MachineRecord> {
    const { spec } = this.#chain.facts;
    if (await this.#isKnown(moment)) {
      this.#parent = moment.key;
      return machine.record;
    }
    return inPhase(this.#services, spec.name, `keep ${moment.done?.step.name ?? 'first boot'}`, async () => {
      try {
        const record = await this.#finished(machine.record);
        return record === undefined ? this.#end(machine.record) : await this.#freeze({ ...machine, record }, moment);
      } catch (error) {
        if (!(error instanceof VmError) || this.#services.signal.aborted) throw error;
        this.#warn(machine.record, error);
        return this.#end((await this.#project.states.read(machine.record.machine)) ?? machine.record);
      }
    });
  }

  /** Another machine has come by here meanwhile. What is good for a limited time is never the same twice. */
  async #isKnown({ key, done }: Moment): Promise<boolean> {
    if (this.#keepsKnown || (done && isTimed(done.step))) return false;
    const machine = this.#chain.facts.spec.name;
    return (await findLayer(key, { services: this.#services, machine })) !== undefined;
  }

  async #freeze({ record, guest }: WorkingMachine, moment: Moment): Promise<MachineRecord> {
    const { states } = this.#project;
    const { layers, providers } = this.#services;
    await writeBack(guest, this.#services);
    const layout = states.layout(record.machine);
    const target = await layers.begin(moment.key);
    const freezing = { ...record, freezing: { layerId: target.id } };
    await states.write(freezing);
    try {
      await providers[record.provider].freezeDisks(
        { record, layout },
        freezableDisks(record, layout, target),
        this.#services,
      );
    } catch (error) {
      if (!(error instanceof StateError || error instanceof TimeoutError)) throw error;
      this.#warn(record, error);
    }
    // After a failure it tells what stands; otherwise there is nothing left to end.
    await settleFreezing(this.#project, record.machine, this.#services);
    const settled = (await states.read(record.machine)) ?? freezing;
    if (settled.unfinishedLayer !== target.id) return this.#end(settled);
    this.#parent = moment.done && isTimed(moment.done.step) ? target.id : moment.key;
    this.#publish({ target, record, moment });
    return settled;
  }

  /** While the next step runs: hashing takes longer than freezing. */
  #publish(kept: Kept): void {
    this.#publishing = this.#describe(kept).catch((error: unknown) => {
      if (!(error instanceof VmError)) throw error;
      this.#warn(kept.record, error);
      return undefined;
    });
    // Whoever waits for it hears of any other error, at the latest when this is disposed.
    this.#publishing.catch(() => {});
  }

  async #describe({ target, record, moment }: Kept): Promise<Layer> {
    const { layers, signal } = this.#services;
    const disks = freezableDisks(record, this.#project.states.layout(record.machine), target);
    return layers.publish(
      target,
      {
        key: moment.key,
        parentKey: moment.parentKey,
        baseId: record.layer,
        boxKey: this.#chain.facts.box.key,
        step: moment.done?.step.name,
        stepFingerprint: moment.done?.ready.fingerprint,
        disks: await describeFrozen(disks),
        createdAt: new Date().toISOString(),
        madeBy: { project: record.project, machine: record.machine },
        ...(moment.output !== undefined && { output: moment.output }),
      },
      signal,
    );
  }

  #end(record: MachineRecord): MachineRecord {
    this.#hasEnded = true;
    this.#giveUpLead();
    return record;
  }

  /**
   * When nothing more is kept: what comes now, other steps or a wait for the machine's health, may need those who wait for
   * its layers.
   */
  #giveUpLead(): void {
    this.#leadEnd ??= this.#publishing.catch(() => {}).then(() => this.#lead?.[Symbol.asyncDispose]());
    // It is heard of when this is disposed.
    this.#leadEnd.catch(() => {});
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
