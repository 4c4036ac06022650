/** The library: what the `vm` command is made of, for other programs. */

export type { Box, BoxListing } from './boxes/box.ts';
export type { ReportEvent, Reporter, RunContext } from './context.ts';
export * from './errors.ts';
export type { MachineRecord, MachineState, PortForward } from './machine/record.ts';
export { type LoadedProject, type LoadInput, loadProject } from './machinefile/load.ts';
export { type MachinefileDocument, machinefileSchema } from './machinefile/schema.ts';
export type { MachineSpec, ProjectSpec } from './machinefile/spec.ts';
export { addBox, build as buildBox } from './operations/box-sources.ts';
export { boxesNamed, listBoxes, removeBox } from './operations/boxes.ts';
export { config } from './operations/config.ts';
export { destroy } from './operations/destroy.ts';
export { doctor } from './operations/doctor/doctor.ts';
export { exec } from './operations/exec.ts';
export { halt } from './operations/halt.ts';
export { init } from './operations/init.ts';
export { findLogs, type LogReader, logs } from './operations/logs.ts';
export { type OpenedProject, type OpenInput, openProject } from './operations/open-project.ts';
export { ports } from './operations/port.ts';
export type { Project } from './operations/project.ts';
export { provision } from './operations/provision/provision.ts';
export { reload } from './operations/reload.ts';
export { planScale, scale } from './operations/scale/scale.ts';
export type { Services } from './operations/services.ts';
export { type MachineStatus, status, statusOfHost } from './operations/status.ts';
export { sync } from './operations/sync.ts';
export { dryRun } from './operations/up/dry-run.ts';
export { up } from './operations/up/up.ts';
