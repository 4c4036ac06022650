/** PATH_MAX of Linux. */
const MAX_NAME_LENGTH = 4096;

/** Why no file may be written under a name, as the end of a sentence about its member; undefined if one may. */
export function findNameProblem(name: string): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return `has a name of more than ${MAX_NAME_LENGTH} characters`;
  if (/\p{Cc}/u.test(name)) return 'has control characters in its name';
  if (name.startsWith('/') || name.split('/').includes('..')) return 'would be written outside';
  return undefined;
}

/** `./a//b/` as `a/b`; empty for the folder that everything is in. */
export function normaliseName(name: string): string {
  return name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

const SHOWN_CHARACTERS = 100;

/** A name as a terminal can safely show it. */
export function printableName(name: string): string {
  const shown = name.length > SHOWN_CHARACTERS ? `${name.slice(0, SHOWN_CHARACTERS)}…` : name;
  return shown.replace(/\p{C}/gu, '\ufffd');
}
