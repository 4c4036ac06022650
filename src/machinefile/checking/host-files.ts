import type { Problem } from '../../errors.ts';
import { parseBox } from '../forms/box.ts';
import { isMistake } from '../forms/parsed.ts';
import { parseSync } from '../forms/sync.ts';
import type { DataPath } from '../reading/tree.ts';
import { resolveHostPath } from '../resolving/host-paths.ts';
import { dirOf, machinesOf, type NamedMachine, problemAt, type Source } from '../source.ts';

/** A file or folder of the host that a Machinefile names, and so must be there. */
export interface NeededFile {
  /** Absolute. */
  readonly hostPath: string;
  readonly kind: 'file' | 'folder' | 'any';
  /** What it is for: "the script". */
  readonly what: string;
  readonly path: DataPath;
}

export function neededFilesOf(source: Source, homeDir: string): NeededFile[] {
  return machinesOf(source)
    .flatMap((named) => [...filesOf(named), ...foldersOf(named), ...readsOf(named)])
    .map(({ written, ...needed }) => ({
      ...needed,
      hostPath: resolveHostPath(written, { dir: dirOf(source, needed.path), homeDir }),
    }));
}

interface WrittenFile extends Omit<NeededFile, 'hostPath'> {
  readonly written: string;
}

function filesOf({ machine, path }: NamedMachine): WrittenFile[] {
  const files: WrittenFile[] = [];
  const add = (written: string | undefined, what: string, at: DataPath) => {
    if (written !== undefined) files.push({ written, kind: 'file', what, path: [...path, ...at] });
  };
  const { box, cdrom, ssh, cloud_init: cloudInit, provision = [] } = machine;
  const parsedBox = box === undefined ? undefined : parseBox(box);
  if (parsedBox !== undefined && !isMistake(parsedBox) && parsedBox.value.kind === 'path') {
    add(parsedBox.value.path, 'the box', typeof box === 'string' ? ['box'] : ['box', 'path']);
  }
  add(cdrom, 'the cdrom', ['cdrom']);
  add(ssh?.private_key, 'the private key', ['ssh', 'private_key']);
  if (ssh?.private_key !== undefined) add(`${ssh.private_key}.pub`, 'the public key', ['ssh', 'private_key']);
  add(pathOfPart(cloudInit?.user_data), 'the user data', ['cloud_init', 'user_data']);
  add(pathOfPart(cloudInit?.network_config), 'the network configuration', ['cloud_init', 'network_config']);
  for (const [index, { shell }] of provision.entries()) {
    if (typeof shell === 'object') add(shell.path, 'the script', ['provision', index, 'shell', 'path']);
  }
  return files;
}

/** What steps say that they depend on. */
function readsOf({ machine, path }: NamedMachine): WrittenFile[] {
  return (machine.provision ?? []).flatMap(({ cache }, index) => {
    const { reads = [] } = typeof cache === 'object' ? cache : {};
    const at = [...path, 'provision', index, 'cache', 'reads'];
    return reads.map((written, i) => ({
      written,
      kind: 'any' as const,
      what: 'what the step reads',
      path: [...at, i],
    }));
  });
}

function foldersOf({ machine, path }: NamedMachine): WrittenFile[] {
  return (machine.sync ?? []).flatMap((sync, index) => {
    const parsed = parseSync(sync);
    if (isMistake(parsed)) return [];
    const at = typeof sync === 'string' ? [] : ['host'];
    return [{ written: parsed.value.host, kind: 'folder', what: 'the folder', path: [...path, 'sync', index, ...at] }];
  });
}

/** A part of cloud-init's data is a path if it is one line of text; several lines are the data themselves. */
export function pathOfPart(part: string | object | undefined): string | undefined {
  return typeof part === 'string' && !part.includes('\n') ? part : undefined;
}

export type KindOfPath = (path: string) => Promise<'file' | 'folder' | undefined>;

/** Reports what is missing, or a file where a folder is needed. */
export async function checkNeededFiles(source: Source, homeDir: string, kindOfPath: KindOfPath): Promise<Problem[]> {
  const checks = neededFilesOf(source, homeDir).map(async ({ hostPath, kind, what, path }) => {
    const found = await kindOfPath(hostPath);
    if (found === kind || (found !== undefined && kind === 'any')) return [];
    const message =
      found === undefined ? `${what} does not exist: ${hostPath}` : `${what} must be a ${kind}: ${hostPath}`;
    return [problemAt(source, path, message)];
  });
  return (await Promise.all(checks)).flat();
}
