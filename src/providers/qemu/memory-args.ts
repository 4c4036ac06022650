import { sha256 } from '../../host/files.ts';
import { runtimeLayout } from '../../machine/layout.ts';
import type { MachineRecord } from '../../machine/record.ts';
import { netdevArgument, netdevId } from '../../networks/segment.ts';
import { RESTRICTED, userNetdev } from './args.ts';
import { NETDEV_ID } from './hostfwd.ts';

/** Started so, QEMU holds the guest still, and waits to be told where its memory comes from. */
const INCOMING = ['-S', '-incoming', 'defer'] as const;

/** The options of the host's side, which no guest sees. */
const HOST_OPTIONS: ReadonlySet<string> = new Set(['-name', '-uuid', '-pidfile', '-qmp', '-display', '-incoming']);

/** Options as they are given: with their value, or without one. */
function* optionsOf(args: readonly string[]): Generator<readonly string[]> {
  for (let i = 0; i < args.length; i++) {
    const [option = '', value] = args.slice(i, i + 2);
    if (value === undefined || value.startsWith('-')) yield [option];
    else {
      yield [option, value];
      i++;
    }
  }
}

/**
 * The arguments as they were given before a restore, with what may have changed since: sockets, forwarded ports, the
 * segments of networks. The log of the console goes on. Pure.
 */
export function resumedArgs(
  args: readonly string[],
  {
    forwards,
    nics = [],
    isCopy = false,
    runtimeDir,
  }: Pick<MachineRecord, 'forwards' | 'nics' | 'isCopy' | 'runtimeDir'>,
): string[] {
  const formerDir = runtimeDirOf(args);
  // A runtime folder's path has no character that any option gives a meaning.
  const inPlace = (value: string) =>
    formerDir === undefined ? value : value.replaceAll(`${formerDir}/`, `${runtimeDir}/`);
  const netdevs = new Map([
    [NETDEV_ID, userNetdev(forwards, isCopy || isIsolated(args))],
    ...nics.map((nic) => [netdevId(nic), netdevArgument(nic.networkId, nic.segment)] as const),
  ]);
  return [...optionsOf(withoutIncoming(args))].flatMap(([option = '', value]) => {
    if (value === undefined) return [option];
    if (option === '-netdev') return [option, netdevs.get(idOf(value)) ?? value];
    const moved = inPlace(value);
    const isLogged = option === '-chardev' && /,logfile=/.test(value) && !/,logappend=/.test(value);
    return [option, isLogged ? `${moved},logappend=on` : moved];
  });
}

/** The arguments of a hypervisor that takes its memory from elsewhere. */
export function incomingArgs(args: readonly string[]): string[] {
  return [...args, ...INCOMING];
}

function withoutIncoming(args: readonly string[]): string[] {
  const isIncoming = INCOMING.every((word, index) => args[args.length - INCOMING.length + index] === word);
  return isIncoming ? args.slice(0, -INCOMING.length) : [...args];
}

function runtimeDirOf(args: readonly string[]): string | undefined {
  const qmp = args[args.indexOf('-qmp') + 1] ?? '';
  const suffix = runtimeLayout('').monitorPath;
  return new RegExp(`^unix:(.*)/${suffix.replaceAll('.', '\\.')},`).exec(qmp)?.[1];
}

function isIsolated(args: readonly string[]): boolean {
  return args.some((arg) => arg.startsWith('user,') && idOf(arg) === NETDEV_ID && arg.includes(`,${RESTRICTED}`));
}

function idOf(value: string): string {
  return /(?:^|,)id=([^,]*)/.exec(value)?.[1] ?? '';
}

/** Whether the memory of a guest is a file that is not saved again with the rest. Pure. */
export function isRamShared(args: readonly string[]): boolean {
  return args.some((arg) => /^memory-backend-file,.*,share=on,/.test(arg));
}

/** The hardware addresses of the guest's cards, in the order of the arguments. Pure. */
export function cardAddresses(args: readonly string[]): string[] {
  return args.flatMap((arg) => /^virtio-net-pci,.*,mac=([^,]*)/.exec(arg)?.[1] ?? []);
}

/** Fingerprint of what the guest sees of the arguments: not where its files are, nor what it is connected to. Pure. */
export function argsFingerprint(args: readonly string[]): string {
  const seen = [...optionsOf(args)].flatMap(([option = '', value = '']) =>
    HOST_OPTIONS.has(option) || option === '-S' ? [] : [option, seenByGuest(option, value)],
  );
  return sha256(JSON.stringify(seen)).slice(0, 16);
}

function seenByGuest(option: string, value: string): string {
  switch (option) {
    case '-netdev':
    case '-chardev':
      return idOf(value);
    case '-kernel':
    case '-initrd':
      return '';
    case '-device':
      // A guest that is started from another's memory is given its own.
      return value.replace(/,mac=[^,]*/, '');
    case '-object':
      return value.replace(/^(memory-backend-file,.*),share=.*/, '$1');
    case '-fw_cfg':
      return value.replace(/,file=.*/, '');
    case '-blockdev':
      return value.replace(/"(filename|dir)":"(?:[^"\\]|\\.)*"/g, '"$1":""');
    default:
      return value;
  }
}
