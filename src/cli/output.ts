import type { Output } from './command.ts';

/** Writes results to a stream. */
export function streamOutput(stream: NodeJS.WritableStream): Output {
  const text = (line: string) => void stream.write(`${line}\n`);
  return {
    text,
    bytes: (bytes) => void stream.write(bytes),
    json: (value) => text(JSON.stringify(value)),
    table: (header, rows) => text(formatTable([header, ...rows])),
  };
}

/** Columns as wide as their widest cell, two spaces apart. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
