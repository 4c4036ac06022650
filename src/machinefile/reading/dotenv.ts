import type { Problem } from '../../errors.ts';
import { interpolate, type VariableLookup } from './interpolate.ts';

export interface Dotenv {
  readonly variables: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*/;
const BARE_NAME = /^[ \t]*(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*[ \t]*(?:#.*)?$/;
const QUOTED = { '"': /^"((?:\\.|[^"\\])*)"/s, "'": /^'((?:\\.|[^'\\])*)'/s } as const;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$$' };

/**
 * Reads a `.env` file as Compose does: `NAME=value`, quotes (several lines allowed), comments, `export`; variables in
 * plain and double-quoted values are replaced. A name without `=` means the environment's own value and is passed over.
 * Source: https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
 */
export function parseDotenv(file: string, text: string, environment: VariableLookup): Dotenv {
  const variables = new Map<string, string>();
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const lookup: VariableLookup = (name) => environment(name) ?? variables.get(name);
  const lines = text
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .split('\n');
  for (let index = 0; index < lines.length; ) {
    const report = (message: string): Problem => ({ file, line: index + 1, column: 1, message });
    const entry = parseEntry(lines.slice(index));
    if (entry.problem !== undefined) problems.push(report(entry.problem));
    if (entry.name !== undefined) {
      const { text: value, issues } = entry.isLiteral
        ? { text: entry.value, issues: [] }
        : interpolate(entry.value, lookup);
      variables.set(entry.name, value);
      for (const { severity, message } of issues) (severity === 'error' ? problems : warnings).push(report(message));
    }
    index += entry.lineCount;
  }
  return { variables, problems, warnings };
}

interface Entry {
  readonly lineCount: number;
  readonly name?: string;
  readonly value: string;
  readonly isLiteral: boolean;
  readonly problem?: string;
}

const NOTHING: Entry = { lineCount: 1, value: '', isLiteral: true };

function parseEntry(lines: readonly string[]): Entry {
  const [line = ''] = lines;
  if (/^[ \t]*(#.*)?$/.test(line) || BARE_NAME.test(line)) return NOTHING;
  const assignment = ASSIGNMENT.exec(line);
  const name = assignment?.[1];
  if (assignment === null || name === undefined) return { ...NOTHING, problem: 'not a variable (write NAME=value)' };
  const rest = [line.slice(assignment[0].length), ...lines.slice(1)];
  const quote = rest[0]?.[0];
  if (quote === '"' || quote === "'") return parseQuoted(name, quote, rest.join('\n'));
  const value = (rest[0] ?? '').replace(/(^|[ \t]+)#.*$/, '').trim();
  return { name, value, isLiteral: false, lineCount: 1 };
}

function parseQuoted(name: string, quote: '"' | "'", rest: string): Entry {
  const [whole, inner] = QUOTED[quote].exec(rest) ?? [];
  if (whole === undefined || inner === undefined)
    return { ...NOTHING, problem: `the value of “${name}” has no closing ${quote}` };
  const after = rest.slice(whole.length).split('\n', 1)[0] ?? '';
  const lineCount = whole.split('\n').length;
  if (!/^[ \t]*(#.*)?$/.test(after)) {
    return { ...NOTHING, lineCount, problem: `unexpected text after the closing ${quote} of “${name}”` };
  }
  if (quote === "'") return { name, value: inner.replaceAll("\\'", "'"), isLiteral: true, lineCount };
  const value = inner.replace(/\\(.)/gs, (written, character: string) => ESCAPES[character] ?? written);
  return { name, value, isLiteral: false, lineCount };
}
