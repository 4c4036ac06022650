import { text as readAll } from 'node:stream/consumers';
import { UsageError } from '../../errors.ts';
import { renewBox } from '../../operations/box-sources.ts';
import type { CommandDefinition } from '../command.ts';
import { printReady } from './box-ready.ts';

const SCHEME = 'oci://';

function withoutScheme(text: string): string {
  if (text.startsWith(SCHEME)) return text.slice(SCHEME.length);
  throw new UsageError(`“${text}” is not a box in a registry`, { hint: `write ${SCHEME}HOST/REPOSITORY:TAG` });
}

const boxPushCommand: CommandDefinition = {
  name: 'box push',
  args: '<name> <reference>',
  summary: 'send a box to an OCI registry; what the registry has already is not sent again',
  group: 'Boxes',
  example: 'vm box push debian/12 oci://registry.example.org/team/debian:12',
  completes: 'boxes',
  emitsEvents: () => true,
  async run({ args: [name = '', text = ''], services, output, globals }) {
    const { push } = await import('../../operations/box-registry.ts');
    const { box, reference } = await push(name, withoutScheme(text), services);
    if (globals.json) output.json({ type: 'result', name: box.name, version: box.version, key: box.key, reference });
    else if (!globals.quiet) output.text(`${box.name} ${box.version} is at ${SCHEME}${reference}`);
    return 0;
  },
};

const boxPullCommand: CommandDefinition = {
  name: 'box pull',
  args: '<reference>',
  summary: 'take a box from an OCI registry into the store; what this host has already is not fetched again',
  group: 'Boxes',
  example: 'vm box pull oci://registry.example.org/team/debian:12',
  emitsEvents: () => true,
  async run({ args: [text = ''], services, output, globals }) {
    const reference = { kind: 'oci', reference: withoutScheme(text), version: undefined } as const;
    // The tag may mean another box than when it was pulled last.
    return printReady(await renewBox(reference, services), { globals, output });
  },
};

const boxLoginCommand: CommandDefinition = {
  name: 'box login',
  args: '<registry>',
  summary: 'log in to an OCI registry; the login is kept where Docker keeps it',
  group: 'Boxes',
  example: 'vm box login registry.example.org --username me --password-stdin < token',
  options: [
    { flags: '--username <user>', description: 'who you are there' },
    { flags: '--password-stdin', description: 'read the password, or a token, from standard input' },
  ],
  async run({ args: [registryText = ''], options, services, output, globals }) {
    const { username, passwordStdin } = options;
    if (typeof username !== 'string' || passwordStdin !== true) {
      throw new UsageError('box login needs --username and --password-stdin', {
        hint: 'a password in the arguments would show in the list of processes',
      });
    }
    const password = (await readAll(process.stdin)).replace(/\r?\n$/, '');
    const { logIn } = await import('../../operations/box-registry.ts');
    const registry = await logIn(registryText, { user: username, password }, services);
    if (globals.json) output.json({ registry, username });
    else if (!globals.quiet) output.text(`logged in to ${registry} as ${username}`);
    return 0;
  },
};

export const boxRegistryCommands: readonly CommandDefinition[] = [boxPushCommand, boxPullCommand, boxLoginCommand];
