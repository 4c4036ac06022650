import { type Document, LineCounter, type Node, parseDocument, type YAMLError } from 'yaml';
import type { Problem } from '../../errors.ts';
import type { Position } from './tree.ts';

/** One file, read as YAML; aliases, merge keys and variables are still as written. */
export interface ParsedFile {
  readonly file: string;
  readonly text: string;
  readonly contents: Node | null;
  readonly document: Document;
  /** The place of an offset in the text. */
  positionOf(offset: number): Position;
  readonly problems: readonly Problem[];
  /** Whether the contents are only part of what was meant. */
  readonly isBroken: boolean;
}

/** Far above any Machinefile; below what takes long to read. */
const MAX_TEXT_LENGTH = 1 << 20;

/** Reads a file's text as YAML 1.2. Mistakes are in `problems`, then the contents may lack parts. */
export function parseFile(file: string, text: string): ParsedFile {
  const lineCounter = new LineCounter();
  const positionOf = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line, column: col };
  };
  const parsed = parseWithin(text, lineCounter);
  if (typeof parsed === 'string') {
    const problem = { file, line: 1, column: 1, message: parsed };
    const document = parseDocument('');
    return { file, text, contents: null, document, positionOf, problems: [problem], isBroken: true };
  }
  const warnings = parsed.warnings.filter(({ pos }) => !/^!(override|reset)$/.test(text.slice(...pos).trim()));
  const isBroken = parsed.errors.some(({ code }) => code !== 'DUPLICATE_KEY');
  const problems = [...parsed.errors, ...warnings].map(
    (error): Problem => ({ ...positionOf(error.pos[0]), message: describeError(error, text) }),
  );
  return { file, text, contents: parsed.contents, document: parsed, positionOf, problems, isBroken };
}

function parseWithin(text: string, lineCounter: LineCounter): Document.Parsed | string {
  if (text.length > MAX_TEXT_LENGTH) return 'the file is larger than 1 MiB';
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, schema: 'core', logLevel: 'error' });
  } catch (error) {
    // yaml composes by recursion: thousands of nested brackets exhaust the stack.
    if (error instanceof RangeError) return 'values are nested too deeply';
    throw error;
  }
}

const DESCRIPTIONS: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  DUPLICATE_KEY: 'this key is given twice in the same mapping',
  BLOCK_AS_IMPLICIT_KEY: 'a value with “: ” in it needs quotes around it',
  TAB_AS_INDENT: 'tabs cannot indent YAML (use spaces)',
  MULTIPLE_DOCS: 'only one YAML document is allowed (remove the second “---”)',
};

function describeError({ code, message, pos }: YAMLError, text: string): string {
  if (code === 'TAG_RESOLVE_FAILED') return `unknown tag ${text.slice(...pos).trim()} (allowed: !override, !reset)`;
  const line = text.slice(text.lastIndexOf('\n', pos[0] - 1) + 1).split('\n', 1)[0] ?? '';
  const hint = line.includes('${') ? ` (inside […] and {…} a “\${…}” needs quotes around it)` : '';
  return `${DESCRIPTIONS[code] ?? `not valid YAML: ${message}`}${hint}`;
}
