import { extname } from 'node:path/posix';
import { VmError } from '../../errors.ts';
import { findObjects, findText, type JsonObject, mistake, parseJsonObject, readText } from './json-document.ts';

/** What `metadata.json` in a .box says. */
export interface BoxMetadata {
  readonly provider: UsableProvider;
  /** Qcow2 images. The first is the root disk; the others follow in the order of the guest's devices. */
  readonly disks: readonly BoxDisk[];
  /** A hint only, absent where unknown: the image itself says its size. */
  readonly virtualSizeBytes: number | undefined;
}

export interface BoxDisk {
  /** Its name in the archive, without `./`. */
  readonly path: string;
  /** Unique in the box. */
  readonly name: string;
}

const USABLE_PROVIDERS = ['libvirt', 'qemu'] as const;
type UsableProvider = (typeof USABLE_PROVIDERS)[number];

const GIB = 2 ** 30;
const HINT = 'the box was packaged wrongly: get another version of it, or give the disk image in it as the box';

/**
 * Reads `metadata.json` of a box for vagrant-libvirt, in its version 1 (one `box.img`) or 2 (`disks`), or for
 * vagrant-qemu, which takes the same.
 * @param shownAs the box, for messages.
 * @throws VmError for boxes of other providers, and for what is wrong.
 */
export function parseBoxMetadata(text: string, shownAs: string): BoxMetadata {
  const root = parseJsonObject(text, { shownAs: `metadata.json of ${shownAs}`, hint: HINT });
  const name = readText(root, 'provider');
  const provider = USABLE_PROVIDERS.find((usable) => usable === name);
  if (provider === undefined) throw wrongProvider(name, shownAs);
  const format = findText(root, 'format') ?? 'qcow2';
  if (format !== 'qcow2') throw mistake(root, 'format', `is “${format}” (only qcow2 is supported)`);
  const disks = findObjects(root, 'disks').map(parseDisk);
  checkNames(root, disks);
  return disks.length > 0
    ? { provider, disks, virtualSizeBytes: undefined }
    : { provider, disks: [{ path: 'box.img', name: 'box' }], virtualSizeBytes: findVirtualSize(root) };
}

/** The error of a box without `metadata.json`, by what else is in it. */
export function missingMetadata(memberNames: readonly string[], shownAs: string): VmError {
  // The first boxes of Vagrant were exports of VirtualBox, with nothing added.
  if (memberNames.includes('box.ovf')) return wrongProvider('virtualbox', shownAs);
  return new VmError(`${shownAs} is not a Vagrant box: there is no metadata.json in it`, {
    hint: 'where it holds a disk image, extract it and give that as the box',
  });
}

/** How the disk of a box for another provider can be used; undefined where it cannot. */
export function findDiskAdvice(provider: string): string | undefined {
  const format = provider === 'hyperv' ? 'vhdx' : /^(virtualbox|vmware)/.test(provider) ? 'vmdk' : undefined;
  if (format === undefined) return undefined;
  return `extract the .box for ${provider} (tar -xf) and give the disk in it as the box, such as \`box: ./disk.${format}\``;
}

function wrongProvider(provider: string, shownAs: string): VmError {
  return new VmError(`${shownAs} is a box for ${provider}, which is not supported`, {
    hint: findDiskAdvice(provider) ?? `use a box for ${USABLE_PROVIDERS.join(' or ')}`,
  });
}

function parseDisk(object: JsonObject): BoxDisk {
  const written = readText(object, 'path');
  const segments = written.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (written.startsWith('/')) throw mistake(object, 'path', `is not relative: ${written}`);
  if (segments.includes('..')) throw mistake(object, 'path', `leads out of the box: ${written}`);
  if (segments.length === 0) throw mistake(object, 'path', `names no file: ${written}`);
  const path = segments.join('/');
  return { path, name: findText(object, 'name') ?? path.slice(0, path.length - extname(path).length) };
}

/** vagrant-libvirt refuses them, too: it makes its volumes' names of them. */
function checkNames(root: JsonObject, disks: readonly BoxDisk[]): void {
  const indexOf = new Map<string, number>();
  disks.forEach(({ name }, i) => {
    const first = indexOf.get(name);
    if (first !== undefined) throw mistake(root, `disks[${i}]`, `has the name of disks[${first}], ${name}`);
    indexOf.set(name, i);
  });
}

/** In GiB, rounded up by whoever packaged the box. */
function findVirtualSize(root: JsonObject): number | undefined {
  const size = root.fields.get('virtual_size');
  return typeof size === 'number' && size > 0 && Number.isFinite(size) ? size * GIB : undefined;
}
