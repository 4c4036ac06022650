import type { Check } from '../../operations/doctor/checks.ts';
import { doctor } from '../../operations/doctor/doctor.ts';
import type { CommandDefinition } from '../command.ts';

const MARKS: Readonly<Record<Check['status'], string>> = { ok: '✔', warning: '!', missing: '✖' };

export const doctorCommand: CommandDefinition = {
  name: 'doctor',
  summary: 'what this host has and lacks, and what mends it',
  group: 'This host',
  example: 'vm doctor',
  async run({ services, output, globals }) {
    const checks = await doctor(services);
    if (globals.json) output.json(checks);
    else for (const check of checks) output.text(formatCheck(check));
    return checks.some(({ status }) => status === 'missing') ? 1 : 0;
  },
};

function formatCheck({ name, status, detail, fix }: Check): string {
  const line = `${MARKS[status]} ${name.padEnd(12)}  ${detail}`;
  return fix === null ? line : `${line}\n  → ${fix}`;
}
