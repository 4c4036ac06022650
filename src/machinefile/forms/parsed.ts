/** What a text in one of the short forms means, or what is wrong with it. */
export type Parsed<T> = { readonly value: T } | { readonly mistake: string };

export function isMistake<T>(parsed: Parsed<T>): parsed is { readonly mistake: string } {
  return 'mistake' in parsed;
}
