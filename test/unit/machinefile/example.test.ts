// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Machinefiles have their own
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { PER_MACHINE } from '../../../src/machinefile/checking/unbuilt.ts';
import { buildTree } from '../../../src/machinefile/reading/build-tree.ts';
import { parseFile } from '../../../src/machinefile/reading/parse.ts';
import { pathInMachine, type Tree } from '../../../src/machinefile/reading/tree.ts';
import { machinefileSchema } from '../../../src/machinefile/schema.ts';
import { loadFiles } from './load-files.ts';
import { schemaKeys } from './schema-keys.ts';

const root = new URL('../../../', import.meta.url);
const readProjectFile = (path: string) => readFile(new URL(path, root), 'utf8');

const SCHEMA_COMMENT = '# yaml-language-server: $schema=./node_modules/machinefile/schema/machinefile.schema.json\n';

describe('Machinefile.example', async () => {
  const text = await readProjectFile('Machinefile.example');

  test('loads without problems', async () => {
    const named = [
      'provision/web.sh',
      'images/router.qcow2',
      'images/netinst.iso',
      'keys/id_ed25519',
      'keys/id_ed25519.pub',
      'network-config.yaml',
    ];
    const files = {
      Machinefile: text,
      'src/': '',
      'config/': '',
      ...Object.fromEntries(named.map((name) => [name, ''])),
    };
    const { project, warnings } = await loadFiles(files);
    expect(project.machines.map(({ name }) => name)).toEqual([
      'web',
      'worker-1',
      'worker-2',
      'router',
      'cloud',
      'shared',
      'installer',
    ]);
    expect(warnings).toEqual([]);
  });

  test('says where its schema is', () => {
    expect(text.startsWith(SCHEMA_COMMENT)).toBe(true);
  });

  const { tree } = buildTree(parseFile('Machinefile', text), () => undefined);
  const shown = new Set(keysIn(tree).map(placeholders));
  const unbuilt = PER_MACHINE.filter(({ when }) => when === undefined).map(({ key }) => key);
  // Built only for the one value that is the default anyway.
  const exceptions = ['sync.*.watch'];
  const built = schemaKeys(machinefileSchema.properties.defaults)
    .map(({ path }) => path)
    .filter((path) => ![...unbuilt, ...exceptions].some((key) => path === key || path.startsWith(`${key}.`)));

  test.each(built)('shows %s', (key) => {
    expect([...shown]).toContain(key);
  });

  test.each(unbuilt)('does not show %s', (key) => {
    expect([...shown]).not.toContain(key);
  });

  test.each(['!override', '!reset', '<<:', 'x-', '${', '$$'])('shows %s', (word) => {
    expect(text).toContain(word);
  });
});

function keysIn(tree: Tree, path: readonly (string | number)[] = []): string[] {
  if (tree.kind === 'scalar') return [];
  if (tree.kind === 'list') return tree.items.flatMap((item, index) => keysIn(item, [...path, index]));
  return [...tree.entries].flatMap(([key, { value }]) => [
    pathInMachine([...path, key]),
    ...keysIn(value, [...path, key]),
  ]);
}

function placeholders(path: string): string {
  return path.replaceAll('/', '.').replaceAll(/\.\d+(?=\.|$)/g, '.*');
}

describe('templates', async () => {
  const names = await readdir(new URL('templates/machinefiles/', root));

  test.each(names)('%s loads without problems', async (name) => {
    const text = await readProjectFile(`templates/machinefiles/${name}`);
    expect(text.startsWith(SCHEMA_COMMENT)).toBe(true);
    expect((await loadFiles({ Machinefile: text })).warnings).toEqual([]);
  });

  test.each(names)('%s names its box once, for `vm init BOX`', async (name) => {
    const text = await readProjectFile(`templates/machinefiles/${name}`);
    expect(text.match(/^ *box: /gm)).toHaveLength(1);
  });
});
