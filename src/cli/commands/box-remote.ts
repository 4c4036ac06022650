import type { BoxState } from '../../operations/outdated/outdated.ts';
import { listRemoteBoxes, type RemoteBox, type RemoteSource } from '../../operations/remote-boxes.ts';
import type { CommandDefinition, Invocation } from '../command.ts';

/** `vm box list --remote`. Gives the exit code. */
export async function printRemoteBoxes({ services, output, globals }: Invocation): Promise<number> {
  const boxes = await listRemoteBoxes(services);
  if (globals.json) output.json(boxes.map(remoteDocument));
  else output.table(['BOX', 'VERSION', 'ARCH', 'FORMAT', 'SOURCE', 'HERE', 'DESCRIPTION'], boxes.map(remoteRow));
  return 0;
}

function remoteDocument({ name, description, version, user, images, sources, isHere }: RemoteBox) {
  return {
    name,
    version: version ?? null,
    description,
    user: user ?? null,
    sources,
    here: isHere,
    images: images.map(({ arch, download }) => ({
      arch,
      format: download?.format ?? null,
      url: download?.url ?? null,
    })),
  };
}

const SOURCE_WORDS: Readonly<Record<RemoteSource, string>> = {
  own_catalog: 'own catalog',
  recipe: 'recipe',
  catalog: 'catalog',
};

function remoteRow({ name, description, version, images, sources, isHere }: RemoteBox): string[] {
  const formats = new Set(images.map(({ download }) => download?.format ?? 'built here'));
  return [
    name,
    version ?? '-',
    images.map(({ arch }) => arch).join(', '),
    [...formats].join(', '),
    sources.map((source) => SOURCE_WORDS[source]).join(', '),
    isHere ? 'yes' : 'no',
    description,
  ];
}

export const boxOutdatedCommand: CommandDefinition = {
  name: 'box outdated',
  args: '[boxes...]',
  summary: 'which boxes of the Machinefile there are newer ones of; downloads none',
  group: 'Boxes',
  example: 'vm box outdated',
  completes: 'boxes',
  async run({ openProject, args, services, output, globals }) {
    const { outdatedBoxes } = await import('../../operations/outdated/outdated.ts');
    const states = await outdatedBoxes(await openProject(), args, services);
    if (globals.json) output.json(states.map(stateDocument));
    else output.table(['BOX', 'CURRENT', 'AVAILABLE', 'STATE'], states.map(stateRow));
    return 0;
  },
};

function stateDocument({ box, current, available, newest, isOther }: BoxState) {
  return {
    box,
    current: current ?? null,
    available: available ?? null,
    newest: newest ?? null,
    outdated: typeof isOther === 'boolean' ? isOther : null,
    reason: typeof isOther === 'boolean' ? null : isOther.reason,
  };
}

function stateRow({ box, current, available, newest, isOther }: BoxState): string[] {
  const state = isOther === true ? 'outdated' : isOther === false ? 'up to date' : `unknown: ${isOther.reason}`;
  const beyond = newest === undefined ? '' : `; there is ${newest}, which the Machinefile does not allow`;
  return [box, current ?? '-', available ?? '-', `${state}${beyond}`];
}
