import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatManifest } from '../../../src/boxes/oci/artifact.ts';
import { pushBox } from '../../../src/boxes/oci/push.ts';
import { InterruptedError, VmError } from '../../../src/errors.ts';
import { sha256 } from '../../../src/host/files.ts';
import { type DockerRegistry, startRegistry } from '../../support/docker-registry.ts';
import { facts, makeDisk, openPushing } from './pushing.ts';

const runProgram = promisify(execFile);
const failureOf = (work: Promise<unknown>) => work.catch((error: unknown) => error);
const disk = makeDisk(['data', 'data']);

let registry: DockerRegistry;

beforeAll(async () => {
  registry = await startRegistry();
});

afterAll(() => registry[Symbol.asyncDispose]());

let repositories = 0;

/** A repository that no other test has. */
const fresh = () => `${registry.name}/test/app-${++repositories}`;

describe('a box', () => {
  test('comes back as it was', async () => {
    await using pushing = await openPushing();
    const reference = `${fresh()}:1.2`;
    const disk = makeDisk(['data', 'zero', 'data']);
    const { digest, chunks } = await pushing.push(reference, disk);
    expect(chunks.map(({ offset, length }) => [offset, length])).toEqual([
      [0, 2 ** 25],
      [2 ** 26, 2 ** 20],
    ]);
    const pulled = await pushing.pull(reference, 'pulled');
    expect(pulled).toEqual({
      digest,
      config: { ...facts, files: [{ name: 'disk.qcow2', bytes: disk.length, sha256: sha256(disk), chunks: 2 }] },
    });
    expect((await pushing.readDisk('pulled')).equals(disk)).toBe(true);
    expect(await readdir(join(pushing.dir, 'pulled'))).toEqual(['chunks.json', 'disk.qcow2']);
    expect((await stat(join(pushing.dir, 'pulled', 'disk.qcow2'))).blocks * 512).toBeLessThan(40 * 2 ** 20);
    expect(pushing.texts).toEqual([
      'chunk 1 of 3, 32 MiB of 65 MiB',
      'chunk 2 of 3, 64 MiB of 65 MiB',
      'chunk 3 of 3, 65 MiB of 65 MiB',
      'chunk 1 of 2, 32 MiB of 33 MiB',
      'chunk 2 of 2, 33 MiB of 33 MiB',
    ]);
  });

  test('with a kernel comes back with it', async () => {
    await using pushing = await openPushing();
    const reference = `${fresh()}:1`;
    const names = ['disk.qcow2', 'vmlinuz', 'vmlinux', 'initrd.img'] as const;
    const boxDir = join(pushing.dir, 'box');
    await mkdir(boxDir);
    for (const name of names) await writeFile(join(boxDir, name), `content of ${name}`);
    const files = Object.fromEntries(names.map((name) => [name, join(boxDir, name)]));
    const commandLine = 'root=/dev/vda quiet';
    const context = { reporter: { report() {} }, signal: new AbortController().signal };
    await pushBox({ facts: { ...facts, commandLine }, files }, pushing.open(reference, 'push'), {
      context,
      subject: 'app',
    });
    const { config } = await pushing.pull(reference, 'pulled');
    expect(config.commandLine).toBe(commandLine);
    for (const name of names) {
      expect(await readFile(join(pushing.dir, 'pulled', name), 'utf8')).toBe(`content of ${name}`);
    }
  });

  test('is found by its digest, and only where it is', async () => {
    await using pushing = await openPushing();
    const repository = fresh();
    const { digest } = await pushing.push(`${repository}:1`, Buffer.from('disk'));
    expect(await pushing.open(`${repository}:1`, 'pull').findDigest()).toBe(digest);
    expect(await pushing.open(`${repository}:2`, 'pull').findDigest()).toBeUndefined();
    await pushing.pull(`${repository}@${digest}`, 'pulled');
    expect((await pushing.readDisk('pulled')).toString()).toBe('disk');
    const error = await failureOf(pushing.pull(`${repository}:2`, 'other'));
    expect(error).toBeInstanceOf(VmError);
    expect(error).toMatchObject({
      message: `cannot read ${repository}:2: HTTP 404 Not Found: MANIFEST_UNKNOWN: manifest unknown`,
      hint: 'check the name and the tag',
    });
    await expect(pushing.push(`${repository}@${digest}`, Buffer.from('disk'))).rejects.toThrow('not to a digest');
  });
});

describe('what is there already', () => {
  test('is not sent again', async () => {
    await using pushing = await openPushing();
    const repository = fresh();
    const first = await pushing.push(`${repository}:1`, disk);
    expect(pushing.takeUploads()).toHaveLength(3);
    expect(await pushing.push(`${repository}:2`, disk)).toEqual(first);
    expect(pushing.takeUploads()).toEqual([]);
    expect(pushing.texts.at(-1)).toBe('chunk 2 of 2, 33 MiB of 33 MiB, 2 already there');
  });

  test('a change of one byte sends one chunk, and the description', async () => {
    await using pushing = await openPushing();
    const repository = fresh();
    const first = await pushing.push(`${repository}:1`, disk);
    pushing.takeUploads();
    const changed = Buffer.from(disk);
    changed.writeUInt8(changed.readUInt8(5) ^ 1, 5);
    const { chunks } = await pushing.push(`${repository}:2`, changed);
    expect(chunks[1]).toEqual(first.chunks[1]);
    const uploads = pushing.takeUploads();
    expect(uploads).toHaveLength(2);
    expect(uploads[0]).toBe(chunks[0]?.blob.digest);
    await pushing.pull(`${repository}:2`, 'pulled');
    expect((await pushing.readDisk('pulled')).equals(changed)).toBe(true);
  });

  test('is not fetched again', async () => {
    await using pushing = await openPushing();
    const repository = fresh();
    const { chunks } = await pushing.push(`${repository}:1`, disk);
    const larger = await pushing.push(`${repository}:2`, Buffer.concat([disk, Buffer.from('more')]));
    await pushing.pull(`${repository}:1`, 'first');
    expect(pushing.takeFetches()).toHaveLength(chunks.length + 1);
    await pushing.pull(`${repository}:1`, 'second', ['first']);
    expect(pushing.takeFetches()).toHaveLength(1);
    expect(pushing.texts.at(-1)).toBe('chunk 2 of 2, 33 MiB of 33 MiB, 2 already here');
    expect((await pushing.readDisk('second')).equals(disk)).toBe(true);
    await pushing.pull(`${repository}:2`, 'third', ['first']);
    expect(pushing.takeFetches().slice(1)).toEqual([larger.chunks[1]?.blob.digest]);
  });

  test('a pull that was interrupted is taken up', async () => {
    await using pushing = await openPushing();
    const reference = `${fresh()}:1`;
    const { chunks } = await pushing.push(reference, disk);
    await pushing.pull(reference, 'pulled');
    pushing.takeFetches();
    await truncate(join(pushing.dir, 'pulled', 'disk.qcow2'), 32 * 2 ** 20);
    await pushing.pull(reference, 'pulled');
    expect(pushing.takeFetches().slice(1)).toEqual([chunks[1]?.blob.digest]);
    expect((await pushing.readDisk('pulled')).equals(disk)).toBe(true);
  });
});

describe('what is wrong is refused', () => {
  const blobPath = (digest: string) => {
    const hex = digest.slice('sha256:'.length);
    return join(registry.dir, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  };

  test('a blob that was changed in the registry', async () => {
    await using pushing = await openPushing();
    const repository = fresh();
    const { chunks } = await pushing.push(`${repository}:1`, makeDisk(['data']));
    const digest = chunks[0]?.blob.digest ?? '';
    const bytes = await readFile(blobPath(digest));
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
    await writeFile(blobPath(digest), bytes);
    const error = await failureOf(pushing.pull(`${repository}:1`, 'pulled'));
    expect(error).toBeInstanceOf(VmError);
    expect(error).toMatchObject({ message: `${digest} in ${repository} is not what its digest says` });
  });

  test('a manifest that was changed in the registry', async () => {
    await using pushing = await openPushing();
    const repository = fresh();
    const { digest } = await pushing.push(`${repository}:1`, Buffer.from('disk'));
    const text = await readFile(blobPath(digest), 'utf8');
    await writeFile(blobPath(digest), text.replace('"1.2.0"', '"1.2.1"'));
    // The registry looks, too.
    await expect(pushing.pull(`${repository}@${digest}`, 'pulled')).rejects.toThrow(VmError);
  });

  test('a manifest whose chunks make another file', async () => {
    await using pushing = await openPushing();
    const repository = fresh();
    const { digest, chunks } = await pushing.push(`${repository}:1`, makeDisk(['data', 'zero', 'data']));
    const { bytes } = await pushing.open(`${repository}@${digest}`, 'pull').getManifest();
    const { config } = JSON.parse(bytes.toString()) as Parameters<typeof formatManifest>[0];
    const [first, second] = chunks;
    if (first === undefined || second === undefined) throw new Error('the box has two chunks');
    const moved = formatManifest({ config, chunks: [first, { ...second, offset: second.offset - 1 }] }, facts);
    await pushing.open(`${repository}:2`, 'push').pushManifest(moved);
    await expect(pushing.pull(`${repository}:2`, 'pulled')).rejects.toThrow(
      `disk.qcow2 of ${repository}:2 is damaged: it is not what its description says`,
    );
    const swapped = [first, { ...second, blob: first.blob }];
    await pushing.open(`${repository}:3`, 'push').pushManifest(formatManifest({ config, chunks: swapped }, facts));
    await expect(pushing.pull(`${repository}:3`, 'pulled')).rejects.toThrow(
      `disk.qcow2 of ${repository}:3 is damaged: the chunk at ${2 ** 26} is not what the manifest says`,
    );
  });
});

test('an interrupt ends a push, and the tag is not there', async () => {
  await using pushing = await openPushing();
  const reference = `${fresh()}:1`;
  const controller = new AbortController();
  pushing.onUpload = () => controller.abort();
  expect(await failureOf(pushing.push(reference, disk, controller.signal))).toBeInstanceOf(InterruptedError);
  expect(await pushing.open(reference, 'pull').findDigest()).toBeUndefined();
});

test('skopeo copies a box out of a registry and into another, and it is still the same', async () => {
  await using pushing = await openPushing();
  await using other = await startRegistry();
  const source = `${fresh()}:1.2`;
  const copy = `${other.name}/copied/app:1.2`;
  const { digest } = await pushing.push(source, disk);
  const layout = `oci:${join(pushing.dir, 'layout')}:1.2`;
  // Without a policy it copies nothing; Debian's is in a package that it only recommends.
  const policyPath = join(pushing.dir, 'policy.json');
  await writeFile(policyPath, '{"default":[{"type":"insecureAcceptAnything"}]}');
  const skopeo = (...args: string[]) => runProgram('skopeo', ['--policy', policyPath, 'copy', '--all', ...args]);
  await skopeo('--src-tls-verify=false', `docker://${source}`, layout);
  await skopeo('--dest-tls-verify=false', layout, `docker://${copy}`);
  expect((await pushing.pull(copy, 'pulled')).digest).toBe(digest);
  expect((await pushing.readDisk('pulled')).equals(disk)).toBe(true);
});
