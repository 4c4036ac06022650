import { posix } from 'node:path';
import type { VolumeMountSpec } from '../spec.ts';
import type { Parsed } from './parsed.ts';

/** What a guest cannot do without while it boots; an empty volume there would hide it. */
const SYSTEM_FOLDERS = ['/', '/bin', '/boot', '/etc', '/lib', '/lib64', '/sbin', '/usr', '/var'];
/** Made by the kernel, or anew at each boot. */
const UNREAL_FOLDERS = ['/dev', '/proc', '/run', '/sys'];

/** One entry of a machine's `volumes`: `volume:/mount/point`. */
export function parseVolume(text: string): Parsed<VolumeMountSpec> {
  const colon = text.indexOf(':');
  const written = text.slice(colon + 1);
  // fstab and /proc/mounts write these otherwise.
  if (/[\s:\\\p{Cc}]/u.test(written)) {
    return { mistake: `“${written}” is not a mount point (an absolute path without white space, “:” and “\\”)` };
  }
  const guestPath = posix.resolve('/', written);
  const isUnreal = UNREAL_FOLDERS.some((folder) => guestPath === folder || guestPath.startsWith(`${folder}/`));
  if (isUnreal || SYSTEM_FOLDERS.includes(guestPath)) {
    return { mistake: `a volume cannot be mounted at “${written}”: it would hide what the guest needs there` };
  }
  return { value: { name: text.slice(0, colon), guestPath } };
}
