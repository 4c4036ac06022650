import { StringDecoder } from 'node:string_decoder';

/** How much of a command's output is kept: its end tells why it failed. */
export const KEPT_OUTPUT_CHARS = 64 * 1024;

/** A line this long is passed on in parts, so that a program printing no line ends cannot fill the memory. */
const LINE_MAX_CHARS = 16 * 1024;

/** Takes a stream of bytes apart into lines while it runs, and keeps its end. */
export interface OutputCollector {
  push(chunk: Uint8Array): void;
  /** Passes on what stands behind the last line end. */
  end(): void;
  kept(): string;
}

export function outputCollector(onLine: ((line: string) => void) | undefined): OutputCollector {
  const decoder = new StringDecoder('utf8');
  let kept = '';
  let unfinishedLine = '';
  const take = (text: string) => {
    kept = lastChars(kept + text);
    if (onLine === undefined) return;
    const lines = (unfinishedLine + text).split('\n');
    unfinishedLine = lines.pop() ?? '';
    for (const line of lines) onLine(withoutCarriageReturn(line));
    if (unfinishedLine.length > LINE_MAX_CHARS) {
      onLine(unfinishedLine);
      unfinishedLine = '';
    }
  };
  return {
    push: (chunk) => take(decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))),
    end() {
      take(decoder.end());
      if (unfinishedLine !== '') onLine?.(withoutCarriageReturn(unfinishedLine));
      unfinishedLine = '';
    },
    kept: () => kept,
  };
}

function lastChars(text: string): string {
  return text.length > KEPT_OUTPUT_CHARS ? text.slice(-KEPT_OUTPUT_CHARS) : text;
}

/** Of a line that a progress display wrote over several times, the last state; and none of `\r\n`. */
function withoutCarriageReturn(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf('\r') + 1);
}
