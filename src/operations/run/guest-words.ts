/** What `vm run` runs in its machine. */
export interface RunCommand {
  /** Empty: the login shell. */
  readonly words: readonly string[];
  /** Where it begins; absolute. Absent: the login user's home. */
  readonly workdir: string | undefined;
  readonly wantsTerminal: boolean;
  /** Whether it reads this process's standard input. */
  readonly hasInput: boolean;
}

/**
 * The words for the guest; empty: the login shell is what ssh gives anyway. SSH does not say which signal ended a command,
 * but a shell between them does: 128 + its number. Pure.
 */
export function guestWords({ words, workdir }: Pick<RunCommand, 'words' | 'workdir'>): readonly string[] {
  const inDir = workdir === undefined ? '' : 'cd "$1" && shift && ';
  const dir = workdir === undefined ? [] : [workdir];
  if (words.length > 0) return ['sh', '-c', `${inDir}"$@"; exit $?`, 'sh', ...dir, ...words];
  return workdir === undefined ? [] : ['sh', '-c', `${inDir}exec "$\{SHELL:-/bin/sh}" -l`, 'sh', workdir];
}
