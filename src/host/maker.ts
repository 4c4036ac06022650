import { randomBytes } from 'node:crypto';
import { identifyProcess, isAlive } from './processes.ts';

/** A new name for what this process makes and removes again: `PID.START-RANDOM`. */
export function nameOfMaker(): string {
  const self = identifyProcess(process.pid);
  return `${process.pid}.${self?.startTicks}-${randomBytes(4).toString('hex')}`;
}

/** Whether it is such a name: elsewhere than in folders of ours there are others. */
export function isMakerName(name: string): boolean {
  return /^\d+\.\d+-[0-9a-f]+$/.test(name);
}

/** Whether the process still runs that made something of this name; without it nobody removes that. */
export function isMakerAlive(name: string): boolean {
  const [pid = '', startTicks = ''] = name.split(/[.-]/);
  return isAlive({ pid: Number(pid), startTicks });
}
