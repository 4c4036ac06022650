import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Lab } from './lab.ts';
import { alternate, type Measurement, mustRun, time } from './measure.ts';

const IMAGE_BYTES = 2 ** 30;
const RUNS = 5;
const NO_MACHINES = 'machines: { m: { box: tiny } }\n';

/** `vm box add` of an image by its path, against a plain copy. */
export async function measureImport(): Promise<Measurement> {
  await using lab = await Lab.create(NO_MACHINES, { ownHome: true });
  const imagePath = await makeImage(lab);
  return await alternate(
    RUNS,
    () => addAnew(lab, imagePath),
    () => copyAnew(lab, imagePath),
  );
}

/** `vm box add` of a Vagrant box, against unpacking it. */
export async function measureBoxImport(): Promise<Measurement> {
  await using lab = await Lab.create(NO_MACHINES, { ownHome: true });
  await makeImage(lab);
  await mustRun('sh', ['-c', METADATA], { cwd: lab.dir });
  await mustRun('tar', ['-czf', 'image.box', 'metadata.json', 'box.img'], { cwd: lab.dir });
  return await alternate(
    RUNS,
    () => addAnew(lab, 'image.box'),
    async () => {
      const unpackedDir = join(lab.dir, 'unpacked');
      await rm(unpackedDir, { recursive: true, force: true });
      await mkdir(unpackedDir);
      return time(() => mustRun('tar', ['-xzf', '../image.box'], { cwd: unpackedDir }));
    },
  );
}

/** `vm box add` of a URL on loopback, against curl and sha256sum. */
export async function measureDownload(): Promise<Measurement> {
  await using lab = await Lab.create(NO_MACHINES, { ownHome: true });
  const imagePath = await makeImage(lab);
  const server = await serve(imagePath);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/image.qcow2`;
  try {
    return await alternate(
      RUNS,
      () => addAnew(lab, url),
      () => time(() => mustRun('sh', ['-c', `curl -s ${url} | tee downloaded | sha256sum`], { cwd: lab.dir })),
    );
  } finally {
    server.close();
  }
}

const METADATA = `echo '{"provider": "libvirt", "format": "qcow2", "virtual_size": 1}' >metadata.json; mv image.qcow2 box.img`;

async function makeImage(lab: Lab): Promise<string> {
  await mustRun('sh', ['-c', `head -c ${IMAGE_BYTES} /dev/urandom >random.raw`], { cwd: lab.dir });
  await mustRun('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', 'random.raw', 'image.qcow2'], { cwd: lab.dir });
  await rm(join(lab.dir, 'random.raw'));
  return join(lab.dir, 'image.qcow2');
}

async function addAnew(lab: Lab, source: string): Promise<number> {
  await rm(lab.homeDir, { recursive: true, force: true });
  return time(() => lab.vm('box', 'add', source));
}

async function copyAnew(lab: Lab, imagePath: string): Promise<number> {
  const copyPath = join(lab.dir, 'copy.qcow2');
  await rm(copyPath, { force: true });
  return time(() => mustRun('cp', ['--reflink=auto', imagePath, copyPath]));
}

function serve(path: string): Promise<Server> {
  const server = createServer(async (_request, response) => {
    response.setHeader('content-length', (await stat(path)).size);
    createReadStream(path, { highWaterMark: 1 << 20 }).pipe(response);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
