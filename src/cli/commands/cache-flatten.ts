import { layersNamed, listCache } from '../../operations/cache/cache.ts';
import { flattenLayer } from '../../operations/cache/flatten.ts';
import type { CommandDefinition } from '../command.ts';

export const cacheFlattenCommand: CommandDefinition = {
  name: 'cache flatten',
  args: '<layer>',
  summary: 'merge a layer with those that it stands on, for new machines; halt does it where they are many',
  group: 'This host',
  example: 'vm cache flatten 1b7af7848411',
  completes: 'layers',
  emitsEvents: () => true,
  async run({ args, services, output, globals }) {
    const named = layersNamed(args[0] ?? '', await listCache(services)).map(({ layer }) => layer);
    const merged: string[] = [];
    for (const { id } of named) merged.push((await flattenLayer(id, services)).id);
    const layers = [...new Set(merged)];
    if (globals.json) output.json({ type: 'result', layers });
    else if (!globals.quiet) for (const id of layers) output.text(`${id} stands on its box`);
    return 0;
  },
};
