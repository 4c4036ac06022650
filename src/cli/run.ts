import { InterruptedError } from '../errors.ts';
import { compose } from './compose.ts';
import { describeFailure } from './failure.ts';
import { type CommandCall, parseCommandLine } from './program.ts';

/** What a shell shows for a program whose reader went away: 128 + SIGPIPE. */
const READER_GONE = 141;

/** Runs one command line and resolves with the exit code. Nothing below this throws to the user. */
export async function runCli(argv: readonly string[], packageDir: string): Promise<number> {
  const interruption = new AbortController();
  const output = watchOutput(() => interruption.abort(new InterruptedError()));
  const exitCode = await runCommandLine(argv, { packageDir, interruption, output });
  await flush(process.stdout);
  if (output.error === undefined || isReaderGone(output)) return exitCode;
  process.stderr.write(`vm: cannot write the output: ${output.error.message}\n`);
  return 1;
}

interface Run {
  readonly packageDir: string;
  readonly interruption: AbortController;
  readonly output: OutputState;
}

/** Why standard output or standard error cannot be written any more. */
interface OutputState {
  error: NodeJS.ErrnoException | undefined;
}

function isReaderGone({ error }: OutputState): boolean {
  return error?.code === 'EPIPE';
}

async function runCommandLine(argv: readonly string[], run: Run): Promise<number> {
  let json = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length).includes('--json');
  try {
    const call = await parseCommandLine(argv);
    if (call.kind === 'answered') return call.exitCode;
    json = call.globals.json;
    return await runCall(call, run);
  } catch (error) {
    return isReaderGone(run.output) ? READER_GONE : reportFailure(error, json);
  }
}

async function runCall(call: CommandCall, { packageDir, interruption }: Run): Promise<number> {
  using _signals = abortOnSignal(interruption);
  using composition = compose({ call, packageDir, signal: interruption.signal });
  return await call.command.run(composition.invocation);
}

/** The first Ctrl-C or SIGTERM is a wish; a second one ends the process at once, as if nobody had listened. */
function abortOnSignal(interruption: AbortController): Disposable {
  const stopListening = () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (interruption.signal.aborted) {
      stopListening();
      process.kill(process.pid, signal);
    }
    interruption.abort(new InterruptedError());
  };
  // Not `once`, which stops listening before it calls: execa, finding itself the only listener, would end the process.
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { [Symbol.dispose]: stopListening };
}

/** Whoever reads our output may stop (`vm logs -f | head`): then there is nobody left to work for. */
function watchOutput(onLost: () => void): OutputState {
  const output: OutputState = { error: undefined };
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      output.error ??= error;
      onLost();
    });
  }
  return output;
}

/** Resolves when everything is written, or cannot be. */
function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}

function reportFailure(error: unknown, json: boolean): number {
  const failure = describeFailure(error, process.cwd());
  if (json) process.stdout.write(`${JSON.stringify(failure.json)}\n`);
  else process.stderr.write(`${failure.text}\n`);
  return failure.exitCode;
}
