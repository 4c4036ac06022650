import { sshConfigBlock } from '../../operations/ssh.ts';
import type { CommandDefinition } from '../command.ts';

export const sshConfigCommand: CommandDefinition = {
  name: 'ssh-config',
  args: '[machine]',
  summary: 'a block for ~/.ssh/config, so that `ssh MACHINE` works too',
  group: 'Inside a machine',
  example: 'vm ssh-config web >> ~/.ssh/config',
  completes: 'machines',
  async run({ openProject, args, output, globals }) {
    const block = await sshConfigBlock(await openProject(), args[0]);
    if (globals.json) output.json({ config: block });
    else output.text(block.trimEnd());
    return 0;
  },
};
