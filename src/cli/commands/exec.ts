import { UsageError } from '../../errors.ts';
import { type ExecRequest, exec } from '../../operations/exec.ts';
import type { CommandDefinition } from '../command.ts';
import { execDocument } from '../documents.ts';

export const execCommand: CommandDefinition = {
  name: 'exec',
  args: '[machines...]',
  summary: "run a command, in several machines side by side; the exit code is the guest's",
  group: 'Inside a machine',
  example: 'vm exec web -- uname -r',
  completes: 'machines',
  takesRest: true,
  options: [{ flags: '-t, --tty', description: 'give it a terminal (for one machine)' }],
  emitsEvents: () => true,
  async run({ openProject, args, options, rest, services, output, globals }) {
    if (rest.length === 0) throw new UsageError('no command to run', { hint: 'vm exec MACHINE -- COMMAND' });
    const request: ExecRequest = {
      patterns: args,
      words: rest,
      wantsTerminal: options.tty === true,
      isByLine: globals.json,
      onLine(machine, line, stream) {
        if (stream === 'stdout' && !globals.json) output.text(`${machine} | ${line}`);
        else services.reporter.report({ type: 'output', subject: machine, stream, line });
      },
    };
    const outcomes = await exec(await openProject(), request, services);
    if (globals.json) output.json({ type: 'result', machines: outcomes.map(execDocument) });
    return outcomes.find(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0;
  },
};
