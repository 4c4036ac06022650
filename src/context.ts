/** What an operation tells while it works. The core knows nothing of terminals: `cli/reporters.ts` draws these. */
export type ReportEvent =
  | {
      /** A named part of an operation on one machine (or of a box build) begins or ends. */
      readonly type: 'phase';
      readonly subject: string;
      readonly phase: string;
      readonly status: 'started' | 'done' | 'failed';
      /** Since the phase started. */
      readonly elapsedMs?: number;
      readonly detail?: string;
    }
  | {
      /** Progress inside the running phase: what is being waited for, or how much is done. */
      readonly type: 'progress';
      readonly subject: string;
      readonly text: string;
    }
  | {
      /** A line printed by something that runs for the user: a provisioning step, a builder. */
      readonly type: 'output';
      readonly subject: string;
      readonly stream: 'stdout' | 'stderr';
      readonly line: string;
    }
  | {
      readonly type: 'message';
      readonly level: 'info' | 'warning';
      readonly subject?: string;
      readonly text: string;
    };

export interface Reporter {
  report(event: ReportEvent): void;
}

/** Handed down through every operation. */
export interface RunContext {
  readonly reporter: Reporter;
  /** Aborted by Ctrl-C and SIGTERM. Every wait obeys it. */
  readonly signal: AbortSignal;
}

/** Runs `work` as a reported phase; a throw is reported as failed and passed on. */
export async function inPhase<T>(
  context: RunContext,
  subject: string,
  phase: string,
  work: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const end = (status: 'done' | 'failed') =>
    context.reporter.report({ type: 'phase', subject, phase, status, elapsedMs: performance.now() - startedAt });
  context.reporter.report({ type: 'phase', subject, phase, status: 'started' });
  try {
    const result = await work();
    end('done');
    return result;
  } catch (error) {
    end('failed');
    throw error;
  }
}
