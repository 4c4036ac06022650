import type { MachineRecord } from '../../machine/record.ts';
import type { LiveSetting } from '../../machine/settings.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { arePortsApplied } from '../ports/wanted-ports.ts';
import { isEnvironmentApplied } from '../provision/environment.ts';

/** Whether what `up` applies to a machine that runs is true of it, as far as its record tells. */
const IS_APPLIED: Readonly<Record<LiveSetting, (spec: MachineSpec, record: MachineRecord) => boolean>> = {
  ports: (spec, { forwards }) => arePortsApplied(spec, forwards),
  environment: isEnvironmentApplied,
  'ssh.forward_agent': ({ ssh }, record) => ssh.forwardAgent === record.ssh.forwardAgent,
  'ssh.forward_x11': ({ ssh }, record) => ssh.forwardX11 === record.ssh.forwardX11,
  'ssh.extra_args': ({ ssh }, record) => JSON.stringify(ssh.extraArgs) === JSON.stringify(record.ssh.extraArgs),
  halt_timeout: ({ haltTimeoutMs }, { started }) => started === undefined || started.haltTimeoutMs === haltTimeoutMs,
};

/** The settings that the next `up` applies to a machine that exists; of one that was never started, none is new. Pure. */
export function liveSettings(spec: MachineSpec, record: MachineRecord): LiveSetting[] {
  if (record.started === undefined) return [];
  const names = Object.keys(IS_APPLIED) as LiveSetting[]; // all of them: the record above has no others
  return names.filter((name) => !IS_APPLIED[name](spec, record));
}
