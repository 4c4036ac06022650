import { UsageError } from '../../errors.ts';
import type { RunCommand } from '../../operations/run/guest-words.ts';
import { runBox } from '../../operations/run/run.ts';
import type { CommandDefinition, Invocation } from '../command.ts';
import { upDocument } from '../documents.ts';
import { type RunOptions, runMachine, runOptions } from '../run-arguments.ts';

export const runCommand: CommandDefinition = {
  name: 'run',
  args: '<box>',
  summary: 'a machine of its own for one command, or for a shell: made of a box, and halted or removed at the end',
  group: 'Machines',
  example: 'vm run --rm -p 8080:80 -e LEVEL=debug tiny -- uname -a',
  completes: 'boxes',
  takesRest: true,
  options: runOptions,
  emitsEvents: ({ detach }) => detach === true,
  isBrief: true,
  async run(invocation) {
    const { args, services, output, globals, host } = invocation;
    const options = invocation.options as RunOptions; // as runOptions has them
    checkTogether(invocation, options);
    const command = options.detach ? undefined : commandOf(invocation, options);
    const machine = runMachine(args[0] ?? '', options, host);
    const isRemoved = options.rm === true;
    const request = { ...machine, isRemoved, keepsMemory: options.warm === true, command, open: invocation.openRun };
    const { name, up, exitCode } = await runBox(request, services);
    if (globals.json) output.json({ type: 'result', machines: up.map(upDocument) });
    else if (options.detach) output.text(name);
    else if (!options.rm) {
      const text = `is halted: vm up ${name} starts it again, vm destroy ${name} removes it`;
      services.reporter.report({ type: 'message', level: 'info', subject: name, text });
    }
    return exitCode ?? 0;
  },
};

/** @throws UsageError for options that exclude each other. */
function checkTogether(
  { rest, globals, args }: Invocation,
  { detach, rm, interactive, tty, workdir }: RunOptions,
): void {
  const box = args[0] ?? 'BOX';
  if (globals.json && !detach) {
    throw new UsageError('--json goes with --detach: otherwise standard output is that of the command');
  }
  if (!detach) return;
  if (rm) throw new UsageError('nobody would be there to remove the machine', { hint: 'leave away --rm or --detach' });
  if (rest.length > 0 || workdir !== undefined) {
    throw new UsageError('a machine that is left running gets no command here', {
      hint: `vm run --detach ${box} prints its name, vm exec NAME -- COMMAND runs one`,
    });
  }
  if (interactive || tty) throw new UsageError('--detach excludes --interactive and --tty');
}

function commandOf({ rest, host }: Invocation, { interactive, tty, workdir }: RunOptions): RunCommand {
  const isShell = rest.length === 0;
  const isOnTerminal = isShell && host.isInteractive;
  if (isShell && !isOnTerminal && !interactive && !tty) {
    throw new UsageError('no command to run, and no terminal for a shell', { hint: 'vm run BOX -- COMMAND' });
  }
  const wantsTerminal = tty === true || isOnTerminal;
  return { words: rest, workdir, wantsTerminal, hasInput: interactive === true || wantsTerminal };
}
