import { UsageError } from '../errors.ts';
import { isMistake } from '../machinefile/forms/parsed.ts';
import {
  countOf,
  dealPorts,
  isSameHostPort,
  type PortParts,
  type PortSelector,
  parsePortParts,
  portRanges,
  portSelectors,
} from '../machinefile/forms/ports.ts';
import type { PortSpec } from '../machinefile/spec.ts';

/** The ports that `vm port add` is asked for; one that is named twice counts once. @throws UsageError for a mistake. */
export function parsePortsToAdd(texts: readonly string[]): PortSpec[] {
  const ports: PortSpec[] = [];
  for (const port of parseAll(texts).flatMap((parts) => dealPorts(portRanges(parts)))) {
    if (ports.some((other) => JSON.stringify(other) === JSON.stringify(port))) continue;
    if (ports.some((other) => isSameHostPort(other, port))) {
      throw new UsageError(`host port ${port.host}/${port.protocol} cannot lead to two ports`, { hint: FORM });
    }
    ports.push(port);
  }
  return ports;
}

/** What `vm port remove` is to take away. @throws UsageError for a mistake. */
export function parsePortsToRemove(texts: readonly string[]): PortSelector[] {
  return parseAll(texts).flatMap(portSelectors);
}

const FORM = 'a port is [[host_ip:]host:]guest[/tcp|udp], or a range such as 8000-8010:9000-9010';

function parseAll(texts: readonly string[]): PortParts[] {
  return texts.map((text) => {
    const parsed = parsePortParts(text);
    if (isMistake(parsed)) throw new UsageError(parsed.mistake, { hint: FORM });
    const { host, guest } = parsed.value;
    if (host !== undefined && countOf(host) !== countOf(guest)) {
      const counts = `${countOf(host)} host ports cannot lead to ${countOf(guest)} ports of one machine`;
      throw new UsageError(counts, { hint: FORM });
    }
    return parsed.value;
  });
}
