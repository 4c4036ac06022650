import type { Project } from './project.ts';
import type { Services } from './services.ts';

/** Takes the lock of everything that changes a machine, and says whom it waits for. Disposing it gives it back. */
export function lockMachine(
  project: Project,
  { name, purpose }: { readonly name: string; readonly purpose: string },
  { reporter, signal }: Services,
): Promise<AsyncDisposable> {
  return project.states.lock(name, {
    purpose,
    signal,
    onWait: (holder) =>
      reporter.report({
        type: 'message',
        level: 'info',
        subject: name,
        text: `waiting for ${holder.purpose} (pid ${holder.pid}), which is working on it`,
      }),
  });
}
