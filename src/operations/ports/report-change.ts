import { type ForwardChange, forwardText } from '../../machine/forwards.ts';
import type { Services } from '../services.ts';

/** Says of a running machine which ports are closed and open now. */
export function reportChange(subject: string, { removed, added }: ForwardChange, { reporter }: Services): void {
  const texts = [
    ...removed.map((port) => `port ${forwardText(port)} is closed`),
    ...added.map((port) => `port ${forwardText(port)} is open`),
  ];
  for (const text of texts) reporter.report({ type: 'message', level: 'info', subject, text });
}
