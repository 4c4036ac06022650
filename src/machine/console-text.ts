const LINES_SHOWN = 15;

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal codes begin with the control character ESC
const TERMINAL_CODES = /\u001b(\[[0-9;?=]*[A-Za-z]|[()][A-Z0-9]|c)|\r/g;

/** A console's text without colours, cursor movements and carriage returns. */
export function stripTerminalCodes(text: string): string {
  return text.replace(TERMINAL_CODES, '');
}

/** The last lines of a console's text, indented for a message. */
export function lastLines(text: string, count = LINES_SHOWN): string {
  const lines = stripTerminalCodes(text).trimEnd().split('\n').slice(-count);
  return lines.map((line) => `  ${line.trimEnd()}`).join('\n');
}
