import { PassThrough } from 'node:stream';
import { WriteStream } from 'node:tty';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TerminalReporter } from '../../../src/cli/terminal-reporter.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A terminal as `TerminalReporter` sees one; what is written is kept. */
function terminal(columns: number): { stream: WriteStream; written: () => string } {
  const sink = new PassThrough();
  const stream: WriteStream = Object.create(WriteStream.prototype, {
    columns: { value: columns },
    isTTY: { value: true },
    write: { value: (text: string) => sink.write(text) },
  });
  return { stream, written: () => String(sink.read() ?? '') };
}

test('a terminal that nobody gave a size has no live line, only what is done', async () => {
  const { stream, written } = terminal(0);
  using reporter = new TerminalReporter(stream, { quiet: false, verbose: false, color: false });
  reporter.report({ type: 'phase', subject: 'web', phase: 'boot', status: 'started' });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(written()).toBe('');
  reporter.report({ type: 'phase', subject: 'web', phase: 'boot', status: 'done', elapsedMs: 60_000 });
  expect(written()).toBe('✔ web: boot 60 s\n');
});
