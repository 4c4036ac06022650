import validate from '../generated/validate.js';
import type { DataPath, MapTree } from '../reading/tree.ts';
import { toData } from '../reading/tree.ts';

/** A value that the schema does not allow. */
export interface SchemaMistake {
  readonly path: DataPath;
  /** The key is wrong, not its value. */
  readonly isKey: boolean;
  readonly message: string;
}

/** Finds what the schema does not allow, one mistake for each value. */
export async function findSchemaMistakes(tree: MapTree): Promise<readonly SchemaMistake[]> {
  const data = toData(tree);
  if (validate(data)) return [];
  // The texts of the schema are loaded only where there is something to say: most Machinefiles are right.
  const { describeSchemaErrors } = await import('./schema-errors.ts');
  return describeSchemaErrors(validate.errors ?? [], data);
}
