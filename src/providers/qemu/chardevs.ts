/** What QMP's `query-chardev` tells of a device, as far as it is looked at. */
interface Chardev {
  readonly label?: unknown;
  readonly filename?: unknown;
}

/** Whether a socket device has somebody at its other end. Pure. */
export function isConnected(chardevs: unknown, label: string): boolean {
  if (!Array.isArray(chardevs)) return false;
  const device = chardevs.find((candidate: Chardev) => candidate.label === label);
  return device !== undefined && !String(device.filename).startsWith('disconnected:');
}
