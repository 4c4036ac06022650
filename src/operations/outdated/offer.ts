/** The box that a project stands on: the one that is locked, else the one that would be used. */
export interface CurrentBox {
  readonly version: string;
  /** What the lockfile pins. */
  readonly sha256: string;
  /** See `Box`. */
  readonly source: string;
}

/** What there is in place of a box, as far as its source tells without giving the box itself. */
export interface Offer {
  /** What it is called; absent where its source does not tell. */
  readonly available: string | undefined;
  /** The newest version of all, where the Machinefile does not allow it. */
  readonly newest: string | undefined;
  /** Whether it is another box than the current one. */
  readonly isOther: boolean | Untold;
}

/** It cannot be told, and why. */
export interface Untold {
  readonly reason: string;
}

/** Something that has one version, which the Machinefile does not allow. */
export function notAllowed({ version }: CurrentBox, newest: string | undefined): Offer {
  return { available: version, newest, isOther: false };
}
