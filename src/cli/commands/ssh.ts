import { runInForeground } from '../../host/exec.ts';
import { loginTo } from '../../operations/ssh.ts';
import type { CommandDefinition } from '../command.ts';

export const sshCommand: CommandDefinition = {
  name: 'ssh',
  args: '[machine]',
  summary: "log in to a machine; what follows -- goes to the system's ssh",
  group: 'Inside a machine',
  example: 'vm ssh web -- -L 5432:localhost:5432',
  completes: 'machines',
  takesRest: true,
  async run({ openProject, args, rest, services }) {
    return runInForeground(await loginTo(await openProject(), { name: args[0], args: rest }, services));
  },
};
