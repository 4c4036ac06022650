/** The version of a box that was given none: the beginning of what its file hashes to. */
export function contentVersion(sha256: string): string {
  return sha256.slice(0, 12);
}
