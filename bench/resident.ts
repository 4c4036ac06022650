import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

export interface ResidentProcess {
  /** Of the program. */
  readonly name: string;
  readonly residentBytes: number;
}

/** The processes that were started with `dir` as their HOME, whoever their parent is now. Linux only. */
export function processesOf(dir: string): ResidentProcess[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOME=${dir}`)) return [];
      const [program = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split(/[\0 ]/);
      const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0;
      return [{ name: basename(program).replace(/:$/, ''), residentBytes: Number(kibibytes) * 1024 }];
    } catch {
      return []; // it ended meanwhile
    }
  });
}
