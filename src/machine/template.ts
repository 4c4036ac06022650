import { join } from 'node:path';
import type { MemoryFiles } from './memory.ts';

/** What is kept of the memory of a machine that others begin with. */
export interface MachineTemplate {
  /** The RAM, as it was. */
  readonly ramPath: string;
  /** All else. */
  readonly memory: MemoryFiles;
}

const RAM_FILE = 'ram';
const STATE_FILE = 'memory.state';
const FACTS_FILE = 'memory.json';

/** Of a template, the RAM first. */
export const TEMPLATE_FILES = [RAM_FILE, STATE_FILE, FACTS_FILE] as const;

export function templateIn(dir: string): MachineTemplate {
  const at = (name: string) => join(dir, name);
  return { ramPath: at(RAM_FILE), memory: { statePath: at(STATE_FILE), factsPath: at(FACTS_FILE) } };
}
