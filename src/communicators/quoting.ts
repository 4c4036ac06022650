/** Characters that no POSIX shell gives a meaning, wherever in a command the word stands: so not `=`, `~`, `#`. */
const PLAIN_WORD = /^[A-Za-z0-9_@%+:,./-]+$/;

/** One word for a POSIX shell, whatever it contains (a NUL byte cannot be passed at all). */
export function quoteForShell(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command line for a POSIX shell that runs exactly these words. */
export function quoteCommand(words: readonly string[]): string {
  return words.map(quoteForShell).join(' ');
}
