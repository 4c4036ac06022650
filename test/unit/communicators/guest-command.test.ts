import { EventEmitter } from 'node:events';
import type { ClientChannel } from 'ssh2';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { followCommand, remoteCommandLine } from '../../../src/communicators/guest-command.ts';
import { GuestError, InterruptedError } from '../../../src/errors.ts';

/** The part of a channel of ssh2 that a command uses; what was done to it is in `done`. */
class FakeChannel extends EventEmitter {
  readonly stderr = new EventEmitter();
  readonly done: string[] = [];
  write(data: string): void {
    this.done.push(`write ${data}`);
  }
  end(): void {
    this.done.push('end');
  }
  signal(name: string): void {
    this.done.push(`signal ${name}`);
  }
  close(): void {
    this.done.push('close');
  }
}

function start(command: Partial<Parameters<typeof followCommand>[1]> = {}) {
  const channel = new FakeChannel();
  // Only what FakeChannel has is used.
  const result = followCommand(channel as unknown as ClientChannel, { script: 'x', ...command });
  result.catch(() => {}); // looked at later
  return { channel, result };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a command without input gets an empty one', () => {
  expect(remoteCommandLine({ script: 'cat' })).toBe('exec </dev/null\ncat');
  expect(remoteCommandLine({ script: 'cat', input: '' })).toBe('cat');
});

test('output and exit code', async () => {
  const lines: string[] = [];
  const { channel, result } = start({ input: 'in', onLine: (line, stream) => lines.push(`${stream} ${line}`) });
  channel.emit('data', Buffer.from('one\ntw'));
  channel.stderr.emit('data', Buffer.from('bad\n'));
  channel.emit('exit', 3);
  channel.emit('data', Buffer.from('o'));
  channel.emit('close');
  vi.runAllTimers();
  expect(await result).toEqual({ exitCode: 3, stdout: 'one\ntwo', stderr: 'bad\n' });
  expect(lines).toEqual(['stdout one', 'stderr bad', 'stdout two']);
  expect(channel.done).toEqual(['write in', 'close']);
});

test('a daemon that keeps the output open is not waited for', async () => {
  const { channel, result } = start();
  channel.emit('exit', 0);
  vi.advanceTimersByTime(300);
  expect(await result).toMatchObject({ exitCode: 0 });
});

test('a daemon that keeps talking is not listened to for ever', async () => {
  const { channel, result } = start();
  channel.emit('exit', 0);
  for (let ms = 0; ms < 2000; ms += 100) {
    vi.advanceTimersByTime(100);
    channel.emit('data', Buffer.from('still here\n'));
  }
  expect(await result).toMatchObject({ exitCode: 0 });
});

test('a broken connection and a signal are failures', async () => {
  const broken = start();
  broken.channel.emit('close');
  const killed = start();
  killed.channel.emit('exit', null, 'SIGKILL');
  killed.channel.emit('close');
  vi.runAllTimers();
  await expect(broken.result).rejects.toThrow(new GuestError('the connection to the guest broke while a command ran'));
  await expect(killed.result).rejects.toThrow('SIGKILL ended the command in the guest');
});

test('an interrupted command is signalled, loses its input, and gets a moment to end', async () => {
  const abort = new AbortController();
  const { channel, result } = start({ signal: abort.signal });
  abort.abort();
  expect(channel.done).toEqual(['signal TERM', 'end']);
  vi.advanceTimersByTime(500);
  await expect(result).rejects.toThrow(InterruptedError);
});

test('what a command asks is answered', async () => {
  const answer = (line: string) => (line === 'name?' ? 'web\n' : undefined);
  expect(remoteCommandLine({ script: 'ask', answer })).toBe('ask');
  const { channel, result } = start({ answer });
  channel.emit('data', Buffer.from('hello\nna'));
  channel.emit('data', Buffer.from('me?\n'));
  channel.emit('exit', 0);
  channel.emit('close');
  vi.runAllTimers();
  expect(await result).toMatchObject({ exitCode: 0, stdout: 'hello\nname?\n' });
  expect(channel.done).toEqual(['write web\n', 'close']);
});
