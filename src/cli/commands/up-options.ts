import { UsageError } from '../../errors.ts';
import type { LockMode } from '../../operations/box-lock.ts';
import type { ProvisionChoice } from '../../operations/provision/choice.ts';
import type { OptionDefinition } from '../command.ts';

export const noProvisionOption: OptionDefinition = { flags: '--no-provision', description: 'run no step' };

export const provisionOptions: readonly OptionDefinition[] = [
  { flags: '--provision', description: 'run every step again, also those that are done' },
  noProvisionOption,
  {
    flags: '--provision-with <steps>',
    description: 'run only these steps (names or types, with commas)',
    parse: splitList,
  },
];

export const parallelOption: OptionDefinition = {
  flags: '--parallel <n>',
  description: 'how many machines at a time (default: one for each processor, at least 2, as far as free memory goes)',
  parse: parseCount,
};

export const noDepsOption: OptionDefinition = {
  flags: '--no-deps',
  description: 'leave out what the named machines depend on',
};

export const lockedOption: OptionDefinition = {
  flags: '--locked',
  description: 'fail if Machinefile.lock would change, as in CI',
};

export function lockMode(options: Readonly<Record<string, unknown>>): LockMode {
  return options.locked === true ? 'refuse' : 'write';
}

/** The value of `--parallel`. */
export function parallelism({ parallel }: Readonly<Record<string, unknown>>): number | undefined {
  return typeof parallel === 'number' ? parallel : undefined;
}

/** What the provisioning options of a command come down to. */
export function provisionChoice(options: Readonly<Record<string, unknown>>): ProvisionChoice {
  if (Array.isArray(options.provisionWith)) return { kind: 'named', names: options.provisionWith };
  if (options.provision === undefined) return { kind: 'missing' };
  return { kind: options.provision ? 'all' : 'none' };
}

export function splitList(text: string): string[] {
  const names = text.split(',').filter((name) => name !== '');
  if (names.length === 0) throw new UsageError('name at least one');
  return names;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new UsageError('must be a whole number from 1');
  return Number(text);
}
