import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Compression, decompress, detectCompression } from '../../src/boxes/archives/compression.ts';
import { CommandError, InterruptedError, MissingToolError, VmError } from '../../src/errors.ts';
import { runAsFilter } from '../../src/host/exec.ts';

const { signal } = new AbortController();

afterEach(() => {
  vi.unstubAllEnvs();
});

async function allOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

const failureOf = (work: Promise<unknown>) => work.catch((error: unknown) => error);

function pack(program: string, data: Uint8Array): Buffer {
  return spawnSync(program, ['-c'], { input: data, maxBuffer: 2 ** 26 }).stdout;
}

describe.each<Compression>(['gzip', 'xz', 'zstd', 'bzip2'])('%s', (compression) => {
  // Neither its packed nor its unpacked form fits into a pipe.
  const data = Buffer.concat([randomBytes(2 ** 20), Buffer.alloc(2 ** 21)]);
  const packed = pack(compression, data);
  const unpack = (...parts: Uint8Array[]) =>
    allOf(decompress(Readable.from(parts), compression, { shownAs: 'the.box', signal }));

  test('what the program packed is recognised and unpacked', async () => {
    expect(detectCompression(packed)).toBe(compression);
    expect((await unpack(packed)).equals(data)).toBe(true);
  });

  test('several files one after another are one', async () => {
    expect(
      (await unpack(packed, pack(compression, Buffer.from('end')))).equals(Buffer.concat([data, Buffer.from('end')])),
    ).toBe(true);
  });

  test.each([
    ['is cut', packed.subarray(0, -100)],
    ['is changed', Buffer.concat([packed.subarray(0, 5000), randomBytes(500), packed.subarray(5500)])],
  ])('what %s is damaged', async (_what, bytes) => {
    const error = await failureOf(unpack(bytes));
    expect(error).toBeInstanceOf(VmError);
    expect(error).toMatchObject({
      message: 'the.box is truncated or damaged',
      hint: 'get it again, and compare its checksum',
    });
  });

  test('a reader that stops destroys the source', async () => {
    const source = Readable.from([packed]);
    for await (const _piece of decompress(source, compression, { shownAs: 'the.box', signal })) break;
    expect(source.destroyed).toBe(true);
  });
});

test('zstd: a frame that wants 2 GiB of memory is refused, and not called damaged', async () => {
  // RFC 8878, 3.1.1: magic, no flags, a window of 2^31 bytes, an empty last block.
  const frame = Buffer.from('28b52ffd00a8010000', 'hex');
  const error = await failureOf(allOf(decompress(Readable.from([frame]), 'zstd', { shownAs: 'the.box', signal })));
  expect(error).toMatchObject({ message: 'the.box needs more than 1 GiB of memory to decompress' });
});

test.each([
  ['xz', 'xz-utils'],
  ['zstd', 'zstd'],
  ['bzip2', 'bzip2'],
] as const)('%s: where it is missing, the package it is in is named', async (compression, debianPackage) => {
  vi.stubEnv('PATH', '/nonexistent');
  const source = Readable.from([Buffer.from('x')]);
  const error = await failureOf(allOf(decompress(source, compression, { shownAs: 'the.box', signal })));
  expect(error).toBeInstanceOf(MissingToolError);
  expect(error).toMatchObject({ tool: compression, hint: `on Debian and Ubuntu: sudo apt install ${debianPackage}` });
  expect(source.destroyed).toBe(true);
});

describe('runAsFilter', () => {
  const shell = (script: string) => ({ file: 'sh', args: ['-c', script] });
  /** Gives nothing and does not end. */
  const silence = () => new Readable({ read() {} });

  /** The process whose number the filter prints first. */
  async function pidOf(filter: AsyncGenerator<Uint8Array>): Promise<number> {
    const { value } = await filter.next();
    const pid = Number(Buffer.from(value ?? []).toString());
    expect(process.kill(pid, 0)).toBe(true);
    return pid;
  }

  test('the program is gone, and the input destroyed, once the reader has stopped', async () => {
    const input = silence();
    const filter = runAsFilter(shell('echo $$; exec cat'), input, signal);
    const pid = await pidOf(filter);
    await filter.return(undefined);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(input.destroyed).toBe(true);
  });

  test('an interrupt kills a program that waits', async () => {
    const controller = new AbortController();
    const filter = runAsFilter(shell('echo $$; exec cat'), silence(), controller.signal);
    const pid = await pidOf(filter);
    const next = failureOf(filter.next());
    controller.abort();
    expect(await next).toBeInstanceOf(InterruptedError);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test('an interrupt before it starts', async () => {
    const error = await failureOf(allOf(runAsFilter(shell('exec cat'), silence(), AbortSignal.abort())));
    expect(error).toBeInstanceOf(InterruptedError);
  });

  test('the input’s own failure is what is thrown', async () => {
    const failure = new Error('connection lost');
    const input = silence();
    const filter = runAsFilter(shell('echo $$; cat; echo incomplete >&2; exit 1'), input, signal);
    await pidOf(filter);
    input.destroy(failure);
    expect(await failureOf(allOf(filter))).toBe(failure);
  });

  test('a program may end before it has read everything', async () => {
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(2 ** 16, 'x'));
      },
    });
    expect((await allOf(runAsFilter({ file: 'head', args: ['-c', '5'] }, endless, signal))).toString()).toBe('xxxxx');
    expect(endless.destroyed).toBe(true);
  });

  test('a failure shows the end of what the program said', async () => {
    const command = shell('cat; for i in 1 2 3 4 5 6; do echo "line $i" >&2; done; exit 3');
    const error = await failureOf(allOf(runAsFilter(command, Readable.from(['x']), signal)));
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({
      exitCode: 3,
      message: 'sh failed with exit code 3:\n  line 2\n  line 3\n  line 4\n  line 5\n  line 6',
    });
  });
});
