import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GuestVolume, volumeWords } from '../../cloud-init/seed.ts';
import { asRoot, sudoHint } from '../../communicators/as-root.ts';
import type { Communicator } from '../../communicators/communicator.ts';
import { quoteCommand } from '../../communicators/quoting.ts';
import { inPhase } from '../../context.ts';
import { GuestError } from '../../errors.ts';
import { isSameProcess } from '../../host/processes.ts';
import type { MachineRecord } from '../../machine/record.ts';
import { startedVolumes } from '../../machine/volume.ts';
import type { LazyGuest } from '../guest.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { writeFstab } from './fstab.ts';
import { guestVolumes } from './guest-volumes.ts';
import { planVolumes } from './planned.ts';

/**
 * Sees to it that a running machine has the volumes that it was started with at their places, once for each start. Our own
 * boxes have mounted them when they boot; in others it is done here, and in their fstab for boots to come.
 * @throws GuestError with the guest's reason where one cannot be mounted.
 */
export async function mountVolumes(
  project: Project,
  { record, guest }: { readonly record: MachineRecord; readonly guest: LazyGuest },
  services: Services,
): Promise<MachineRecord> {
  const { ready, volumesSeenBy, machine } = record;
  const mounts = startedVolumes(record);
  const hadVolumes = volumesSeenBy !== undefined;
  if (ready === undefined || isSameProcess(volumesSeenBy, ready) || (mounts.length === 0 && !hadVolumes)) return record;
  await inPhase(services, machine, 'volumes', async () => {
    const volumes = await guestVolumes(planVolumes(project, mounts));
    const work = { machine, volumes, services };
    const communicator = await guest.communicator();
    const isSeeded = existsSync(project.states.layout(machine).seedTarPath);
    if (isSeeded) return mountInGuest(communicator, work);
    const facts = await readGuestFacts(communicator, services);
    checkHome(facts.homeDir, work);
    await mountInGuest(communicator, work);
    await writeFstab(communicator, { ...work, hasSystemd: facts.hasSystemd });
  });
  const seen = { ...record, volumesSeenBy: mounts.length === 0 ? undefined : ready };
  await project.states.write(seen);
  return seen;
}

interface MountWork {
  readonly machine: string;
  readonly volumes: readonly GuestVolume[];
  readonly services: Services;
}

/** Runs the program with which our own boxes mount volumes; where they are mounted, it changes nothing. */
async function mountInGuest(guest: Communicator, { machine, volumes, services }: MountWork): Promise<void> {
  const { recipesDir, reporter, signal } = services;
  const program = await readFile(join(recipesDir, 'guest/usr/lib/machinefile/mount-volumes'), 'utf8');
  const script = asRoot(`set -- ${quoteCommand(volumes.flatMap(volumeWords))}\n${program}`);
  const { exitCode, stdout, stderr } = await guest.exec({ script, signal });
  if (exitCode !== 0) {
    const reasons = `${stdout}${stderr}`.trim().replace(/^(machinefile: )?/gm, '  ');
    throw new GuestError(`${machine} does not have all of its volumes:\n${reasons}`, {
      exitCode,
      hint: sudoHint(stderr) ?? `it is left running: vm ssh ${machine} to look, vm up ${machine} to try again`,
    });
  }
  for (const [, text = ''] of stdout.matchAll(/^machinefile: (.*)$/gm)) {
    reporter.report({ type: 'message', level: 'warning', subject: machine, text });
  }
}

interface GuestFacts {
  /** Of the login user. */
  readonly homeDir: string;
  readonly hasSystemd: boolean;
}

async function readGuestFacts(guest: Communicator, { signal }: Services): Promise<GuestFacts> {
  const script = 'echo "$HOME"; if [ -d /run/systemd/system ]; then echo systemd; fi';
  const [homeDir = '', init] = (await guest.exec({ script, signal })).stdout.split('\n');
  return { homeDir, hasSystemd: init === 'systemd' };
}

/** An empty home has no key in it: nobody could log in any more. */
export function checkHome(homeDir: string, { machine, volumes }: Omit<MountWork, 'services'>): void {
  const hiding = volumes.find(({ guestPath }) => homeDir === guestPath || homeDir.startsWith(`${guestPath}/`));
  if (hiding === undefined) return;
  throw new GuestError(
    `${machine}: a volume at ${hiding.guestPath} would hide ${homeDir}, and with it the key that lets vm log in`,
    { hint: 'mount it elsewhere; boxes that vm builds itself get their keys after that, and so can have it there' },
  );
}
