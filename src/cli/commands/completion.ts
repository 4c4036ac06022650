import { UsageError } from '../../errors.ts';
import { type CompletionList, namesToComplete } from '../../operations/names-to-complete.ts';
import type { CommandDefinition } from '../command.ts';
import { completionScripts } from '../completion-scripts.ts';

/** What the scripts ask for while somebody types. */
const LISTS: readonly CompletionList[] = ['machines', 'groups', 'volumes'];

export const completionCommand: CommandDefinition = {
  name: 'completion',
  args: '<shell>',
  summary: 'a completion script for bash, zsh or fish',
  group: 'This host',
  example: 'vm completion bash > ~/.local/share/bash-completion/completions/vm',
  completes: 'shells',
  async run({ args, output, openProject, services }) {
    const [shell = ''] = args;
    const list = LISTS.find((known) => known === shell);
    if (list !== undefined) {
      const names = await namesToComplete({ open: openProject, list }, services);
      if (names.length > 0) output.text(names.join('\n'));
      return 0;
    }
    const script = completionScripts[shell];
    if (script === undefined) {
      throw new UsageError(`no completion for ${shell}`, {
        hint: `shells: ${Object.keys(completionScripts).join(', ')}`,
      });
    }
    const { loadAllCommands } = await import('./index.ts');
    output.text(script(await loadAllCommands()));
    return 0;
  },
};
