import type { Problem } from '../../../errors.ts';
import { hooksOf, parseCommand } from '../../forms/command.ts';
import { isMistake } from '../../forms/parsed.ts';
import { machinesOf, type NamedMachine, problemAt, type Source } from '../../source.ts';

/** Each command of a hook can be run without a shell. */
export function checkHooks(source: Source): Problem[] {
  return machinesOf(source).flatMap((named) => checkCommands(source, named));
}

function checkCommands(source: Source, { machine, path }: NamedMachine): Problem[] {
  return hooksOf(machine).flatMap(({ name, commands, isOne }) =>
    commands.flatMap((command, index) => {
      const parsed = parseCommand(command);
      if (!isMistake(parsed)) return [];
      return [problemAt(source, [...path, 'hooks', name, ...(isOne ? [] : [index])], parsed.mistake)];
    }),
  );
}
