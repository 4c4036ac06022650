import { InterruptedError } from '../../errors.ts';
import { findLogs, type LogReader, logs } from '../../operations/logs.ts';
import type { CommandDefinition, Invocation } from '../command.ts';

export const logsCommand: CommandDefinition = {
  name: 'logs',
  args: '[machines...]',
  summary: "what machines' serial consoles have printed since their start",
  group: 'Inside a machine',
  example: 'vm logs -f web',
  completes: 'machines',
  options: [{ flags: '-f, --follow', description: 'go on printing, until Ctrl-C' }],
  emitsEvents: () => true,
  async run(invocation) {
    const { openProject, args, options, services } = invocation;
    const machines = await findLogs(await openProject(), args);
    const { length } = machines;
    await logs(machines, {
      follow: options.follow === true,
      signal: services.signal,
      readerFor: (machine) => printerFor(machine, length > 1, invocation),
    });
    if (services.signal.aborted) throw new InterruptedError();
    return 0;
  },
};

function printerFor(machine: string, isOneOfSeveral: boolean, { globals, output }: Invocation): LogReader {
  const decoder = new TextDecoder();
  const onEnd = () => {};
  if (globals.json) {
    const textOf = (bytes: Uint8Array) => decoder.decode(bytes, { stream: true });
    return { onBytes: (bytes) => output.json({ type: 'log', machine, text: textOf(bytes) }), onEnd };
  }
  if (!isOneOfSeveral) return { onBytes: (bytes) => output.bytes(bytes), onEnd };
  let rest = '';
  const printLine = (line: string) => output.text(`${machine} | ${line.replace(/\r$/, '')}`);
  return {
    onBytes(bytes) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(printLine);
    },
    onEnd() {
      if (rest !== '') printLine(rest);
    },
  };
}
