import { type MachineUsers, machineUsers } from './machine-users.ts';
import type { Services } from './services.ts';

/** Which machines of this user stand on which boxes, by the box's key. */
export function boxUsers(services: Services): Promise<MachineUsers> {
  return machineUsers(({ box }) => (box === undefined ? [] : [box.key]), services);
}
