import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReportEvent } from '../../../../src/context.ts';
import { readHostBootId } from '../../../../src/host/process-figures.ts';
import { identifyProcess } from '../../../../src/host/processes.ts';
import type { MachineRecord } from '../../../../src/machine/record.ts';
import { StateStore } from '../../../../src/machine/state-store.ts';
import { totalsOf } from '../../../../src/machine/usage-folding.ts';
import { workshopsDir } from '../../../../src/operations/packaging/workshops-dir.ts';
import type { Project } from '../../../../src/operations/project.ts';
import type { Services } from '../../../../src/operations/services.ts';
import { newRecord } from '../../../../src/operations/up/create.ts';
import { meterEnd, meterRun, settleEndedRun } from '../../../../src/operations/usage/metering.ts';
import { usage } from '../../../../src/operations/usage/usage.ts';
import type { RunFigures } from '../../../../src/providers/provider.ts';
import { FakeGuest, fakeServices } from '../../../support/fake-services.ts';
import { machineSpec, tinyBox } from '../../../support/machine-spec.ts';

const self = identifyProcess(process.pid);
if (self === undefined) throw new Error('this process has no identity');
const disk = { readBytes: 10, writtenBytes: 20 };
const figuresAt = (second: number): RunFigures => ({
  process: self,
  runningMs: second * 1000,
  cpuMs: second * 500,
  memoryBytes: 1,
  disk,
});

let homeDir: string;
let warnings: string[];

beforeEach(async () => {
  homeDir = await mkdtemp(join(tmpdir(), 'vm-metering-'));
  warnings = [];
});

afterEach(() => rm(homeDir, { recursive: true }));

/** A machine `web` that exists, with 1 GiB, of which the provider tells these figures. */
async function machineWith(figures: RunFigures | undefined, projectDir = join(homeDir, 'shop')) {
  const states = new StateStore(projectDir);
  const spec = machineSpec();
  const project: Project = {
    projectDir,
    states,
    spec: { name: 'shop', projectDir, networks: [], groups: [], volumes: [], machines: [spec] },
    activeProfiles: [],
  };
  const started = { at: new Date().toISOString(), haltTimeoutMs: 1, settings: { memory: String(2 ** 30) } };
  const record: MachineRecord = { ...newRecord('shop', spec, tinyBox(), homeDir), started };
  const layout = states.layout('web');
  await mkdir(layout.machineDir, { recursive: true });
  await states.write(record);
  const fakes = fakeServices(homeDir, new FakeGuest());
  const services: Services = {
    ...fakes,
    reporter: { report: (event: ReportEvent) => void (event.type === 'message' && warnings.push(event.text)) },
    providers: { qemu: { ...fakes.providers.qemu, meter: async () => figures } },
  };
  return { project, services, machine: { record, layout }, ledgerPath: join(homeDir, 'usage', `${record.id}.json`) };
}

test('a run from its start to its end, and what `vm usage` says of it then and when the machine is gone', async () => {
  const { project, services, machine } = await machineWith(figuresAt(10));
  await meterRun(project, machine, { services });
  expect(await usage(project, [], services)).toMatchObject([
    { machine: 'web', exists: true, running: true, runs: 1, cpu_seconds: 5, disk_written_bytes: 20 },
  ]);
  const { id } = machine.record;
  const ended = { lastFigures: figuresAt(12), network: undefined, isDestroyed: true };
  await meterEnd(project, { id, name: 'web', record: machine.record }, { ended, services });
  await project.states.remove('web');
  expect(await usage(project, [], services)).toMatchObject([
    {
      exists: false,
      running: false,
      runs: 1,
      unseen_ends: 0,
      cpu_seconds: 6,
      disk_bytes: 0,
      destroyed_at: expect.any(String),
    },
  ]);
  expect(warnings).toEqual([]);
});

test('replicas are found by the name in the Machinefile, also once they are destroyed', async () => {
  const { project, services, machine } = await machineWith(figuresAt(10));
  const { id } = machine.record;
  const record = { ...machine.record, replica: { of: 'shop', number: 1 } };
  const ended = { lastFigures: figuresAt(12), network: undefined, isDestroyed: true };
  await meterEnd(project, { id, name: 'web', record }, { ended, services });
  await project.states.remove('web');
  expect(await usage(project, ['shop'], services)).toMatchObject([{ machine: 'web', replica_of: 'shop' }]);
  await expect(usage(project, ['shap'], services)).rejects.toThrow('no machine is called shap');
});

describe('a run that ended by itself', () => {
  const ended = { pid: 2 ** 22 + 1, startTicks: '1', hostBootId: readHostBootId() };

  /** Last read a minute before its last sign of life. */
  async function machineThatEnded() {
    const made = await machineWith({ ...figuresAt(10), process: ended });
    const { project, services, machine } = made;
    await meterRun(project, machine, { services });
    await writeFile(machine.layout.serialLogPath, 'Power down\n');
    const { readAt = '' } = (await services.ledgers.read(machine.record.id))?.run ?? {};
    const end = new Date(Date.parse(readAt) + 60_000);
    await utimes(machine.layout.serialLogPath, end, end);
    return made;
  }

  test('in the future of this clock: not later than now', async () => {
    const { project, services, machine } = await machineThatEnded();
    await settleEndedRun(project, 'web', services);
    const { settled } = (await services.ledgers.read(machine.record.id)) ?? {};
    expect(settled).toMatchObject({ runs: 1, unseenEnds: 1, cpuMs: 5_000 });
    expect(settled?.runningMs).toBeLessThan(60_000);
  });

  test('is settled once, also by a destroy that finds the record damaged', async () => {
    const { project, services, machine } = await machineThatEnded();
    const { id } = machine.record;
    await settleEndedRun(project, 'web', services);
    await settleEndedRun(project, 'web', services);
    const end = { lastFigures: undefined, network: undefined, isDestroyed: true };
    await meterEnd(project, { id, name: 'web', record: undefined }, { ended: end, services });
    const ledger = await services.ledgers.read(id);
    expect(ledger && totalsOf(ledger)).toMatchObject({ runs: 1, unseenEnds: 1 });
  });

  test('and one that goes on is left alone', async () => {
    const { project, services, machine } = await machineWith(figuresAt(10));
    await meterRun(project, machine, { services });
    await settleEndedRun(project, 'web', services);
    expect((await services.ledgers.read(machine.record.id))?.run).toMatchObject({ runningMs: 10_000 });
  });
});

describe('metering fails no command', () => {
  test('a damaged ledger is kept beside a new one, in which the run counts from its start', async () => {
    const { project, services, machine, ledgerPath } = await machineWith(figuresAt(10));
    await meterRun(project, machine, { services });
    await writeFile(ledgerPath, 'precious');
    await meterRun(project, machine, { services });
    expect(warnings).toEqual([
      expect.stringMatching(/^what it used until now is in no sum: .*it is kept as .*\.damaged$/),
    ]);
    expect(await readdir(join(homeDir, 'usage'))).toHaveLength(2);
    expect((await services.ledgers.read(machine.record.id))?.run).toMatchObject({ cpuMs: 5_000 });
  });

  test('the ledger of a newer vm stays as it is', async () => {
    const { project, services, machine, ledgerPath } = await machineWith(figuresAt(10));
    await mkdir(join(homeDir, 'usage'));
    await writeFile(ledgerPath, '{"format":2,"settled":{}}');
    await meterRun(project, machine, { services });
    expect(warnings).toEqual([expect.stringContaining('format 2')]);
    expect(await readdir(join(homeDir, 'usage'))).toHaveLength(1);
  });

  test('a place that is no folder', async () => {
    const { project, services, machine } = await machineWith(figuresAt(10));
    await writeFile(join(homeDir, 'usage'), '');
    await meterRun(project, machine, { services });
    expect(warnings).toEqual([expect.stringMatching(/^what it uses cannot be written down: /)]);
  });
});

test('machines that boxes are made in are metered to nobody', async () => {
  const projectDir = join(workshopsDir({ homeDir }), '100.1');
  const { project, services, machine } = await machineWith(figuresAt(10), projectDir);
  await meterRun(project, machine, { services });
  expect(await services.ledgers.list()).toEqual({ ledgers: [], failures: [] });
});
