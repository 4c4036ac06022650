import { UsageError } from '../../errors.ts';
import type { CommandDefinition } from '../command.ts';
import { completionScripts } from '../completion-scripts.ts';

export const completionCommand: CommandDefinition = {
  name: 'completion',
  args: '<shell>',
  summary: 'a completion script for bash, zsh or fish',
  group: 'This host',
  example: 'vm completion bash > ~/.local/share/bash-completion/completions/vm',
  completes: 'shells',
  async run({ args, output }) {
    const [shell = ''] = args;
    const script = completionScripts[shell];
    if (script === undefined) {
      throw new UsageError(`no completion for ${shell}`, {
        hint: `shells: ${Object.keys(completionScripts).join(', ')}`,
      });
    }
    const { commands } = await import('./index.ts');
    output.text(script(commands));
    return 0;
  },
};
