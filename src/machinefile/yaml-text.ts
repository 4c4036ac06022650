import { stringify } from 'yaml';
import type { MachinefileDocument } from './schema.ts';

/** A Machinefile as text. */
export function yamlText(document: MachinefileDocument): string {
  return stringify(document, { lineWidth: 0 });
}
