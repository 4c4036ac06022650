import type { ClientChannel } from 'ssh2';
import { GuestError, InterruptedError } from '../errors.ts';
import type { GuestCommand, GuestResult } from './communicator.ts';
import { type OutputCollector, outputCollector } from './output.ts';

/**
 * A daemon that a command left behind may hold its output open for ever: once the command has exited, output this long
 * without a sign of life is taken to be its end.
 */
const QUIET_AFTER_EXIT_MS = 300;
/** And a daemon that keeps talking is not listened to any longer than this. */
const TALK_AFTER_EXIT_MS = 2000;
/** What an aborted command gets to end by itself. */
const END_AFTER_ABORT_MS = 500;

const CONNECTION_BROKE = 'the connection to the guest broke while a command ran';

/**
 * A command without input must not wait for one. Its channel is kept open all the same: ssh2 can signal a command only
 * through a channel that can still be written to.
 */
export function remoteCommandLine(command: GuestCommand): string {
  return command.input === undefined && command.answer === undefined
    ? `exec </dev/null\n${command.script}`
    : command.script;
}

/** How a command ended: its exit code, or the signal that ended it. */
type Exit = { readonly code: number } | { readonly signalName: string };

/** Follows a command that was started on `channel` to its end. */
export function followCommand(channel: ClientChannel, command: GuestCommand): Promise<GuestResult> {
  const { onLine, answer, signal, input } = command;
  const stdout = outputCollector((line) => {
    onLine?.(line, 'stdout');
    const reply = answer?.(line);
    if (reply !== undefined) channel.write(reply);
  });
  const stderr = outputCollector(onLine && ((line) => onLine(line, 'stderr')));
  return new Promise((resolve, reject) => {
    let exit: Exit | undefined;
    let quietTimer: NodeJS.Timeout | undefined;
    let deadlineTimer: NodeJS.Timeout | undefined;

    const settle = () => {
      clearTimeout(quietTimer);
      clearTimeout(deadlineTimer);
      signal?.removeEventListener('abort', onAbort);
      channel.removeAllListeners('data').removeAllListeners('exit').close();
      channel.stderr.removeAllListeners('data');
      stdout.end();
      stderr.end();
      if (signal?.aborted) reject(new InterruptedError());
      else if (exit !== undefined && 'code' in exit) {
        resolve({ exitCode: exit.code, stdout: stdout.kept(), stderr: stderr.kept() });
      } else reject(new GuestError(exit ? `${exit.signalName} ended the command in the guest` : CONNECTION_BROKE));
    };
    const settleWhenQuiet = () => {
      clearTimeout(quietTimer);
      quietTimer = setTimeout(settle, QUIET_AFTER_EXIT_MS);
    };
    const collectInto = (output: OutputCollector) => (chunk: Buffer) => {
      output.push(chunk);
      if (exit) settleWhenQuiet();
    };
    const onAbort = () => {
      channel.signal('TERM');
      // sshd does not pass signals on to root's commands: those can watch for the end of their input.
      channel.end();
      deadlineTimer = setTimeout(settle, END_AFTER_ABORT_MS);
    };

    channel.on('data', collectInto(stdout));
    channel.stderr.on('data', collectInto(stderr));
    channel.on('exit', (code: number | null, signalName = 'a signal') => {
      exit = code === null ? { signalName } : { code };
      settleWhenQuiet();
      deadlineTimer ??= setTimeout(settle, TALK_AFTER_EXIT_MS);
    });
    // Both streams deliver what they still hold before the next turn of the event loop.
    channel.once('close', () => setImmediate(settle));
    // Writing to a command that has exited already is no failure: its exit code says all.
    channel.on('error', () => {});
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    if (input !== undefined) channel.write(input);
  });
}
