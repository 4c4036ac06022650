import type { ReportEvent, Reporter } from '../context.ts';
import { eventDocument } from './documents.ts';

export interface TextOptions {
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** A phase that is done leaves no line. */
  readonly brief?: boolean;
  readonly color: boolean;
}

type Write = (line: string) => void;

/** One JSON event a line, for `--json`. */
export function jsonReporter(write: Write): Reporter {
  return { report: (event) => write(JSON.stringify(eventDocument(event))) };
}

/** Plain lines, for pipes and CI. */
export function plainReporter(write: Write, options: TextOptions): Reporter {
  return {
    report(event) {
      const line = formatEvent(event, options);
      if (line !== undefined) write(line);
    },
  };
}

/** Keeps what was measured, for `--timings`, beside passing it on. */
export function timingReporter(inner: Reporter): Reporter & { readonly phases: readonly TimedPhase[] } {
  const phases: TimedPhase[] = [];
  return {
    phases,
    report(event) {
      if (event.type === 'phase' && event.elapsedMs !== undefined) {
        phases.push({ subject: event.subject, phase: event.phase, elapsedMs: event.elapsedMs });
      }
      inner.report(event);
    },
  };
}

export interface TimedPhase {
  readonly subject: string;
  readonly phase: string;
  readonly elapsedMs: number;
}

/** The line that an event makes, or undefined for one that says nothing at this verbosity. Pure. */
export function formatEvent(
  event: ReportEvent,
  { quiet, verbose, brief = false, color }: TextOptions,
): string | undefined {
  const paint = color ? paintAnsi : (text: string) => text;
  switch (event.type) {
    case 'phase':
      return quiet ? undefined : formatPhase(event, { verbose, brief, paint });
    case 'progress':
      return verbose ? paint(`${event.subject}: ${event.text}`, 'dim') : undefined;
    case 'output':
      return quiet ? undefined : `${paint(`${event.subject} |`, 'dim')} ${event.line}`;
    case 'message': {
      if (quiet && event.level === 'info') return undefined;
      const text = event.subject === undefined ? event.text : `${event.subject}: ${event.text}`;
      return event.level === 'warning' ? paint(`warning: ${text}`, 'yellow') : text;
    }
  }
}

type Style = 'dim' | 'yellow' | 'green' | 'red';

const ANSI: Readonly<Record<Style, string>> = { dim: '2', yellow: '33', green: '32', red: '31' };

function paintAnsi(text: string, style: Style): string {
  return `\u001b[${ANSI[style]}m${text}\u001b[0m`;
}

function formatPhase(
  event: Extract<ReportEvent, { type: 'phase' }>,
  { verbose, brief, paint }: { verbose: boolean; brief: boolean; paint: (text: string, style: Style) => string },
): string | undefined {
  const name = `${event.subject}: ${event.phase}`;
  const seconds = event.elapsedMs === undefined ? '' : ` ${formatSeconds(event.elapsedMs)}`;
  switch (event.status) {
    case 'started':
      return verbose ? paint(`${name} …`, 'dim') : undefined;
    case 'done':
      return brief ? undefined : `${paint('✔', 'green')} ${name}${paint(seconds, 'dim')}`;
    case 'failed':
      return `${paint('✖', 'red')} ${name} failed${seconds === '' ? '' : ` after${seconds}`}`;
  }
}

export function formatSeconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
