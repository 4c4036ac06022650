import { readFileSync } from 'node:fs';
import { rootDir } from './paths.ts';

/** The examples in docs/json.md below a heading; of a block of lines, each line is one. */
export function documentedJson(heading: string): unknown[] {
  const text = readFileSync(`${rootDir}docs/json.md`, 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`docs/json.md has no heading “${heading}”`);
  const blocks = [...section.matchAll(/^```(jsonl?)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, kind, body = '']) =>
    kind === 'jsonl'
      ? body
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [JSON.parse(body)],
  );
}

/** All headings that have examples. */
export function documentedHeadings(): string[] {
  const text = readFileSync(`${rootDir}docs/json.md`, 'utf8');
  return [...text.matchAll(/^## (.*)$/gm)]
    .map(([, heading = '']) => heading)
    .filter((heading) => documentedJson(heading).length > 0);
}

/** A value with every leaf replaced by its type; of a list, the different shapes in it. */
export function shapeOf(value: unknown): unknown {
  if (value === null) return 'null';
  if (Array.isArray(value)) {
    const shapes = new Map(value.map((element) => [JSON.stringify(shapeOf(element)), shapeOf(element)]));
    return [...shapes.keys()].sort().map((key) => shapes.get(key));
  }
  if (typeof value !== 'object') return typeof value;
  const entries = Object.entries(value).map(([key, element]) => [key, shapeOf(element)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
