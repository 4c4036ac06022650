import { InterruptedError } from '../errors.ts';
import type { GlobalOptions } from './command.ts';
import { type Composition, compose } from './compose.ts';
import { describeFailure } from './failure.ts';
import { parseCommandLine } from './program.ts';

/** Runs one command line and resolves with the exit code. Nothing below this throws to the user. */
export async function runCli(argv: readonly string[], packageDir: string): Promise<number> {
  let json = argv.includes('--json');
  try {
    const call = parseCommandLine(argv);
    if (call.kind === 'answered') return call.exitCode;
    json = call.globals.json;
    return await runComposed({ globals: call.globals, packageDir }, (world) =>
      call.command.run(world.invocation(call)),
    );
  } catch (error) {
    return reportFailure(error, json);
  }
}

async function runComposed(
  { globals, packageDir }: { globals: GlobalOptions; packageDir: string },
  work: (composition: Composition) => Promise<number>,
): Promise<number> {
  const interruption = new AbortController();
  const onSignal = () => interruption.abort(new InterruptedError());
  // Once: a second Ctrl-C ends the process at once, as if nobody had listened.
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  using composition = compose({ globals, packageDir, signal: interruption.signal });
  try {
    return await work(composition);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

function reportFailure(error: unknown, json: boolean): number {
  const failure = describeFailure(error, process.cwd());
  if (json) process.stdout.write(`${JSON.stringify(failure.json)}\n`);
  else process.stderr.write(`${failure.text}\n`);
  return failure.exitCode;
}
