import { type MachineUsers, machineUsers } from '../machine-users.ts';
import type { Services } from '../services.ts';

/** Which machines of this user stand on which layers, also on those that are none yet, by the layer's id. */
export function layerUsers(services: Services): Promise<MachineUsers> {
  return machineUsers(
    ({ layer, unfinishedLayer, freezing }) =>
      [layer, unfinishedLayer, freezing?.layerId].filter((id) => id !== undefined),
    services,
  );
}
