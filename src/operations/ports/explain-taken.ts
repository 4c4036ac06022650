import { StateError } from '../../errors.ts';
import { type PortAddress, portText } from '../../host/port-address.ts';
import { findPortHolder } from '../../host/port-holder.ts';
import { bindFailure } from '../../host/ports.ts';
import { PortTakenError } from '../../providers/provider.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';

/** A taken port, told with who has it, or why else it cannot be had; any other error as it is. */
export async function explainTaken(
  error: unknown,
  { project, hintFor, services }: { project: Project; hintFor: (address: PortAddress) => string; services: Services },
): Promise<unknown> {
  if (!(error instanceof PortTakenError)) return error;
  const { address } = error;
  const hint = hintFor(address);
  const forbidden = describeRefusal(await bindFailure(address), address);
  if (forbidden !== undefined) return new StateError(forbidden, { hint, cause: error });
  const holder = findPortHolder(address);
  if (holder === undefined) {
    const look = `\`sudo ss -ltnup 'sport = :${address.port}'\` shows who has it`;
    return new PortTakenError(address, { hint: `${hint}; ${look}` });
  }
  const machine = (await services.index.list()).find(({ id }) => holder.args.includes(id));
  if (machine === undefined) return new PortTakenError(address, { holder: `${holder.name} (pid ${holder.pid})`, hint });
  if (machine.projectDir !== project.projectDir) {
    return new PortTakenError(address, { holder: `the machine ${machine.machine} in ${machine.projectDir}`, hint });
  }
  return new PortTakenError(address, {
    holder: `the machine ${machine.machine} of this project`,
    hint: `${hint}; vm up ${machine.machine} closes what is no more in the Machinefile`,
  });
}

/** QEMU only says that it could not; nobody has a port that nobody may have. */
function describeRefusal(code: string | undefined, address: PortAddress): string | undefined {
  if (code === 'EACCES' || code === 'EPERM') {
    return `host port ${portText(address)} is only for root (as are, on most hosts, all below 1024)`;
  }
  return code === 'EADDRNOTAVAIL' ? `no interface of this host has the address ${address.hostIp}` : undefined;
}
