import { existsSync } from 'node:fs';
import type { Box } from '../../boxes/box.ts';
import { inPhase } from '../../context.ts';
import { VmError } from '../../errors.ts';
import { lastLines } from '../../machine/console-text.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { LazyGuest } from '../guest.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';

/** @throws VmError if `cloud_init` is given where there is no cloud-init, and nobody would ever read it. */
export function checkCloudInit({ name, cloudInit }: MachineSpec, box: Box | undefined): void {
  const isGiven = cloudInit.userData !== undefined || cloudInit.networkConfig !== undefined;
  if (!isGiven || box?.seed === 'cloud-init') return;
  const reason = box === undefined ? 'it has no box' : `the box ${box.name} has no cloud-init`;
  throw new VmError(`${name}: ${reason}, so “cloud_init” would do nothing`, {
    hint: `${box === undefined ? 'remove it' : 'use “provision” with this box'}, or use a cloud image as the box`,
  });
}

/**
 * Exits with 0 where there is no cloud-init: such an image takes its keys by a program of its own. The last stage writes
 * result.json; `cloud-init status --wait` does not wait for it once an earlier stage has failed.
 */
export const WAIT_SCRIPT = `command -v cloud-init >/dev/null || exit 0
until [ -e /run/cloud-init/result.json ] || [ -e /run/cloud-init/disabled ]; do sleep 0.3; done
cloud-init status --long`;

/**
 * Waits until cloud-init is through with the first boot: it may be installing packages, or setting up what steps build
 * on. Once in a machine's life, and only where the user has given it work or has steps of their own.
 */
export async function awaitCloudInit(
  project: Project,
  { spec, record, guest }: { readonly spec: MachineSpec; readonly record: MachineRecord; readonly guest: LazyGuest },
  services: Services,
): Promise<MachineRecord> {
  const isSeeded = existsSync(project.states.layout(spec.name).cloudInitDir);
  const isAwaited = spec.cloudInit.userData !== undefined || spec.provision.length > 0;
  if (!isSeeded || !isAwaited || record.isCloudInitDone) return record;
  await inPhase(services, spec.name, 'cloud-init', async () => {
    const communicator = await guest.communicator();
    const { exitCode, stdout } = await communicator.exec({ script: WAIT_SCRIPT, signal: services.signal });
    if (exitCode !== 0) {
      services.reporter.report({
        type: 'message',
        level: 'warning',
        subject: spec.name,
        text: `cloud-init was not content with all of what it was given:\n${lastLines(stdout)}`,
      });
    }
  });
  const done = { ...record, isCloudInitDone: true };
  await project.states.write(done);
  return done;
}
