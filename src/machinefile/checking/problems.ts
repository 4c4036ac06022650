import type { Problem } from '../../errors.ts';

/** Problems in the order a reader meets them: by file, as the files are merged, then by place. Each is there once. */
export function inOrder(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const rank = ({ file }: Problem) => files.indexOf(file);
  const unique = new Map(problems.map((problem) => [idOf(problem), problem]));
  return [...unique.values()].sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
}

function idOf({ file, line, column, message }: Problem): string {
  return JSON.stringify([file, line, column, message]);
}

/** Without the problems on lines that have one already: a variable that is missing makes its value wrong, too. */
export function onOtherLines(problems: readonly Problem[], known: readonly Problem[]): Problem[] {
  return problems.filter((problem) => !known.some((other) => isSameLine(problem, other)));
}

/** Only the problems on lines that have one already. */
export function onLinesOf(problems: readonly Problem[], known: readonly Problem[]): Problem[] {
  return problems.filter((problem) => known.some((other) => isSameLine(problem, other)));
}

function isSameLine(a: Problem, b: Problem): boolean {
  return a.file === b.file && a.line === b.line;
}
