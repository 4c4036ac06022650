import { portText } from '../host/port-address.ts';
import type { PortForward } from './record.ts';

/** What of a forward is open on the host; the rest is about where it comes from. */
export type OpenPort = Pick<PortForward, 'hostIp' | 'host' | 'guest' | 'protocol'>;

/** What has to be done to the forwards of a running machine. */
export interface ForwardChange {
  readonly removed: readonly OpenPort[];
  readonly added: readonly OpenPort[];
}

export function isSameForward(a: OpenPort, b: OpenPort): boolean {
  return a.hostIp === b.hostIp && a.host === b.host && a.guest === b.guest && a.protocol === b.protocol;
}

/** How to get from the forwards there are to those that are wanted. Pure. */
export function diffForwards(actual: readonly OpenPort[], wanted: readonly OpenPort[]): ForwardChange {
  return { removed: without(actual, wanted), added: without(wanted, actual) };
}

/** Those of the first list that the second does not have. */
export function without<T extends OpenPort>(forwards: readonly T[], others: readonly OpenPort[]): T[] {
  return forwards.filter((forward) => !others.some((other) => isSameForward(forward, other)));
}

export function isUnchanged({ removed, added }: ForwardChange): boolean {
  return removed.length === 0 && added.length === 0;
}

/** As it is called in messages: `127.0.0.1:8080 → 80`, `127.0.0.1:5353 → 53/udp`. */
export function forwardText({ hostIp, host, guest, protocol }: OpenPort): string {
  return `${hostIp}:${host} → ${portText({ port: guest, protocol })}`;
}
