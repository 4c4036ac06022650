import type { Box } from '../../boxes/box.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { machineObstacle } from '../layers/obstacle.ts';

/** Why a machine cannot begin with the memory of another; undefined where it can. Pure. */
export function warmObstacle(spec: MachineSpec, box: Box | undefined): string | undefined {
  if (spec.volumes.length > 0) return 'its guest has volumes mounted';
  if (spec.qemuArgs.length > 0) return 'qemu.args may tie it to this host';
  if (spec.display !== 'none') return 'it has a screen';
  if (spec.cdromPath !== undefined) return 'it has a cdrom';
  if (spec.arch !== 'x86_64' || spec.firmware !== 'bios') return 'only x86_64 with BIOS is known to go on';
  return machineObstacle(spec, box);
}
