/** Versions of boxes and constraints on them, as RubyGems 3.3 has them (`Gem::Version`, `Gem::Requirement`). */

/** All of its requirements must hold. */
export interface Constraint {
  /** As written, for messages. */
  readonly text: string;
  readonly requirements: readonly Requirement[];
}

export interface Requirement {
  readonly operator: Operator;
  readonly version: string;
}

/** Longer ones first: the first that a text begins with is meant. */
const OPERATORS = ['>=', '<=', '!=', '~>', '=', '>', '<'] as const;
type Operator = (typeof OPERATORS)[number];

const ANY_VERSION = '>= 0';
const VERSION = /^[0-9]+(\.[0-9a-zA-Z]+)*(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;

/** Numbers may be longer than a double is exact: dates with times. */
type Segment = bigint | string;

/** Whether a text is a well-formed version; an empty one is, and means 0. */
export function isVersion(text: string): boolean {
  const version = text.trim();
  return version === '' || VERSION.test(version);
}

/** Orders two well-formed versions, for `sort`. Prereleases (with letters, or behind a `-`) come before their release. */
export function compareVersions(a: string, b: string): number {
  return compareSegments(withoutIdleZeros(segmentsOf(a)), withoutIdleZeros(segmentsOf(b)));
}

/** Reads requirements separated by commas; without an operator `=` is meant. Empty: any version. Undefined: malformed. */
export function parseConstraint(text: string): Constraint | undefined {
  const written = text.trim() || ANY_VERSION;
  const requirements = written.split(',').map(parseRequirement);
  return requirements.every((requirement) => requirement !== undefined) ? { text: written, requirements } : undefined;
}

/** Whether a well-formed version is within a constraint. Prereleases are versions like others, as in Vagrant. */
export function satisfies(version: string, { requirements }: Constraint): boolean {
  return requirements.every((requirement) => holds(version, requirement));
}

function parseRequirement(text: string): Requirement | undefined {
  const written = text.trim();
  const operator = OPERATORS.find((candidate) => written.startsWith(candidate));
  const version = written.slice(operator?.length ?? 0).trim();
  return version !== '' && isVersion(version) ? { operator: operator ?? '=', version } : undefined;
}

function holds(version: string, { operator, version: bound }: Requirement): boolean {
  const order = compareVersions(version, bound);
  switch (operator) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '~>':
      // The release counts: 1.3.0-beta is below 1.3, but not in ~> 1.2.0.
      return order >= 0 && compareSegments(releaseOf(version), bump(bound)) < 0;
  }
}

/** 1.0-rc1 is 1.0.pre.rc.1: digits and letters are segments of their own. */
function segmentsOf(version: string): Segment[] {
  const parts = version.replaceAll('-', '.pre.').match(/[0-9]+|[a-zA-Z]+/g) ?? [];
  return parts.map((part) => (/^[0-9]/.test(part) ? BigInt(part) : part));
}

function releaseOf(version: string): Segment[] {
  const segments = segmentsOf(version);
  return segments.slice(0, lettersAt(segments));
}

/** The first version that `~>` excludes: 1.2.3 gives 1.3, 1.2 gives 2, and 1 gives 2, too. */
function bump(version: string): Segment[] {
  const release = releaseOf(version);
  const kept = release.slice(0, Math.max(release.length - 1, 1));
  return [...kept.slice(0, -1), BigInt(kept.at(-1) ?? 0) + 1n];
}

/** Zeros before the letters mean nothing: 1.0.a is 1.a. (So do those at the end, which a comparison fills up.) */
function withoutIdleZeros(segments: readonly Segment[]): Segment[] {
  const letters = lettersAt(segments);
  const release = segments.slice(0, letters);
  return [...release.slice(0, release.findLastIndex((segment) => segment !== 0n) + 1), ...segments.slice(letters)];
}

function lettersAt(segments: readonly Segment[]): number {
  const index = segments.findIndex((segment) => typeof segment === 'string');
  return index === -1 ? segments.length : index;
}

function compareSegments(a: readonly Segment[], b: readonly Segment[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const left = a[i] ?? 0n;
    const right = b[i] ?? 0n;
    if (left === right) continue;
    if (typeof left === typeof right) return left < right ? -1 : 1;
    return typeof left === 'string' ? -1 : 1;
  }
  return 0;
}
