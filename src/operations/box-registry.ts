import type { Box } from '../boxes/box.ts';
import { DISK_FILE, extraDiskFile, INITRD_FILE, KERNEL_FILE, UNCOMPRESSED_KERNEL_FILE } from '../boxes/box-file.ts';
import { writeChunkIndex } from '../boxes/oci/chunk-cache.ts';
import { checkLogin, type Login, storeLogin } from '../boxes/oci/login.ts';
import { pushBox } from '../boxes/oci/push.ts';
import { Registry } from '../boxes/oci/registry.ts';
import { inPhase } from '../context.ts';
import { VmError } from '../errors.ts';
import { formatReference, parseReference, parseRegistry } from '../machinefile/oci-reference.ts';
import { boxesNamed } from './boxes.ts';
import { wholeBox } from './packaging/whole-box.ts';
import type { Services } from './services.ts';

export interface Pushed {
  readonly box: Box;
  /** With the digest, which means this box for ever: `registry/repository@sha256:…`. */
  readonly reference: string;
}

/**
 * Makes a tag in a registry mean the newest box of this name.
 * @throws VmError if there is no such box, or it brings a private key; what `pushBox` throws.
 */
export async function push(name: string, referenceText: string, services: Services): Promise<Pushed> {
  const reference = parseReference(referenceText);
  const [listed] = await boxesNamed(name, services);
  if (listed === undefined) throw new Error('boxesNamed gives at least one');
  const { key } = listed.box;
  await using _lock = await services.boxes.lock(key, { purpose: 'vm box push', signal: services.signal });
  const box = await services.boxes.get(key);
  if (box.entryKeyPath !== undefined) {
    throw new VmError(`the box ${name} has a private key of its own, which a registry would show to others`, {
      hint: 'share the .box file it came from instead',
    });
  }
  const subject = box.name;
  await using client = await services.openHttp();
  const { dockerConfigPath } = services;
  const registry = new Registry(reference, { access: 'push', client, context: services, subject, dockerConfigPath });
  const { digest, chunks } = await inPhase(services, subject, 'push', async () => {
    await using whole = await wholeBox(box, services);
    return await pushBox({ facts: factsOf(box), files: filesOf(whole.box) }, registry, { context: services, subject });
  });
  // The chunks of a box that stands on another are in no file here.
  if (box.parentKey === undefined) await writeChunkIndex(services.boxes.dirOf(key), chunks);
  return { box, reference: formatReference({ ...reference, tag: undefined, digest }) };
}

function factsOf({ name, version, arch, seed, user, virtualSizeBytes, extraDisks, kernel }: Box) {
  return { name, version, arch, seed, user, virtualSizeBytes, extraDisks, commandLine: kernel?.commandLine };
}

function filesOf({ diskPath, extraDisks, kernel }: Box) {
  return {
    [DISK_FILE]: diskPath,
    ...Object.fromEntries(extraDisks.map(({ path }, i) => [extraDiskFile(i + 1), path])),
    ...(kernel && {
      [KERNEL_FILE]: kernel.kernelPath,
      [UNCOMPRESSED_KERNEL_FILE]: kernel.uncompressedKernelPath,
      [INITRD_FILE]: kernel.initrdPath,
    }),
  };
}

/**
 * Keeps a login for a registry where Docker keeps it, once the registry has confirmed it.
 * @throws VmError if it does not.
 */
export async function logIn(registryText: string, login: Login, services: Services): Promise<string> {
  const registry = parseRegistry(registryText);
  await using client = await services.openHttp();
  await checkLogin(registry, login, { client, signal: services.signal });
  await storeLogin({ path: services.dockerConfigPath, registry }, login, services.signal);
  return registry;
}
