import type { Problem } from '../../errors.ts';
import { kindOfPath } from '../../host/path-kind.ts';
import { dropResets } from '../reading/merge.ts';
import { type DataPath, keyPositionAt, type MapTree, positionAt, without } from '../reading/tree.ts';
import { asDeclared, type CountReplicas } from '../replicas.ts';
import { type Source, sourceOf } from '../source.ts';
import { findSchemaMistakes } from './check-schema.ts';
import { checkNeededFiles } from './host-files.ts';
import { checkRules } from './rules/index.ts';
import { checkUnbuilt, type HostFacts } from './unbuilt.ts';

export interface CheckedTree {
  /** What is right of it; absent if nothing is left. */
  readonly source: Source | undefined;
  readonly problems: readonly Problem[];
}

export interface CheckInput extends HostFacts {
  readonly homeDir: string;
  /** Default: as declared. */
  readonly countReplicas?: CountReplicas;
}

/** Finds all mistakes of a merged Machinefile. */
export async function checkTree(written: MapTree, input: CheckInput): Promise<CheckedTree> {
  const { valid, problems } = await checkSchema(written);
  if (valid === undefined) return { source: undefined, problems };
  const source = sourceOf(valid, input.countReplicas ?? asDeclared);
  const missing = await checkNeededFiles(source, input.homeDir, kindOfPath);
  return { source, problems: [...problems, ...checkRules(source), ...checkUnbuilt(source, input), ...missing] };
}

interface SchemaChecked {
  readonly valid: MapTree | undefined;
  readonly problems: readonly Problem[];
}

/**
 * Finds what the schema does not allow, and puts it aside so that the rules can check the rest. What is missing only
 * because of that is put aside too, unreported.
 */
async function checkSchema(written: MapTree): Promise<SchemaChecked> {
  const mistakes = await findSchemaMistakes(dropResets(written));
  const problems = mistakes.map(({ path, isKey, message }) => ({
    ...(isKey ? keyPositionAt : positionAt)(written, path),
    message,
  }));
  return {
    valid: await withoutMistakes(
      written,
      mistakes.map(({ path }) => path),
    ),
    problems,
  };
}

async function withoutMistakes(tree: MapTree, paths: readonly DataPath[]): Promise<MapTree | undefined> {
  if (paths.length === 0) return tree;
  if (paths.some((path) => path.length === 0)) return undefined;
  const rest = without(tree, paths);
  const mistakes = await findSchemaMistakes(dropResets(rest));
  return withoutMistakes(
    rest,
    mistakes.map(({ path }) => path),
  );
}
