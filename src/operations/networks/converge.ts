import type { Communicator } from '../../communicators/communicator.ts';
import { inPhase } from '../../context.ts';
import { GuestError } from '../../errors.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { LazyGuest } from '../guest.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { hostsFingerprint, setUpAddresses, writeHosts } from './guest-network.ts';
import type { MachineNetwork } from './project-networks.ts';

interface NetworkedGuest {
  readonly record: MachineRecord;
  readonly network: MachineNetwork;
  readonly guest: LazyGuest;
}

/**
 * Gives a guest that has just booted the addresses that it did not take from the seed. A system that cannot be set up so
 * may well have been told of them in another way.
 */
export async function setUpCards(
  { machine, nics = [] }: MachineRecord,
  guest: Communicator,
  services: Services,
): Promise<void> {
  if (nics.length === 0) return;
  try {
    await setUpAddresses(guest, nics, services.signal);
  } catch (error) {
    if (!(error instanceof GuestError)) throw error;
    services.reporter.report({ type: 'message', level: 'warning', subject: machine, text: error.message });
  }
}

/** Whether it is on a network, or was and may still know names. */
function isConcerned({ nics = [], hostsFingerprint: known }: MachineRecord): boolean {
  return nics.length > 0 || known !== undefined;
}

/** Brings the names of the other machines into the guest, if it has others. Returns the record as written. */
export async function applyNames(
  project: Project,
  { record, network, guest }: NetworkedGuest,
  services: Services,
): Promise<MachineRecord> {
  const fingerprint = hostsFingerprint(network.hosts);
  if (record.hostsFingerprint === fingerprint || !isConcerned(record)) return record;
  await inPhase(services, record.machine, 'names', async () =>
    writeHosts(await guest.communicator(), network.hosts, services.signal),
  );
  const applied = { ...record, hostsFingerprint: fingerprint };
  await project.states.write(applied);
  return applied;
}
