import { CommandError, MissingToolError } from '../../errors.ts';
import { findTool, run } from '../../host/exec.ts';
import type { Arch } from '../../machinefile/spec.ts';
import { VDE_SWITCH } from '../../networks/vde-switch.ts';
import { qemuBinary } from './args.ts';

/** Whether there is a switch for networks, and a QEMU that was built with what connects to it. */
export async function hasVde(arch: Arch): Promise<boolean> {
  if (findTool(VDE_SWITCH) === undefined) return false;
  try {
    const { stdout } = await run({ file: qemuBinary(arch), args: ['-netdev', 'help'] });
    return /^vde$/m.test(stdout);
  } catch (error) {
    // That it is not there, or does not start, is told of when a machine needs it.
    if (error instanceof MissingToolError || error instanceof CommandError) return false;
    throw error;
  }
}
