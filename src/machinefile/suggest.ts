/** Words that other tools have for ours. */
const SYNONYMS: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  arm64: 'aarch64',
  cmd: 'command',
  command: 'shell',
  cores: 'cpus',
  destination: 'guest',
  efi: 'uefi',
  env: 'environment',
  forwarded_ports: 'ports',
  ignore: 'exclude',
  image: 'box',
  inline: 'shell',
  iso: 'cdrom',
  key: 'private_key',
  mem: 'memory',
  provisioners: 'provision',
  published: 'host',
  ram: 'memory',
  script: 'path',
  services: 'machines',
  source: 'host',
  synced_folders: 'sync',
  target: 'guest',
  vcpus: 'cpus',
  vms: 'machines',
};

/** The word of `allowed` that was probably meant; undefined if none is near. */
export function suggest(word: string, allowed: readonly string[]): string | undefined {
  const lower = word.toLowerCase().replaceAll('-', '_');
  const plain = allowed.find((candidate) => candidate.toLowerCase().replaceAll('-', '_') === lower);
  if (plain !== undefined) return plain;
  const synonym = Object.hasOwn(SYNONYMS, lower) ? SYNONYMS[lower] : undefined;
  if (synonym !== undefined && allowed.includes(synonym)) return synonym;
  const maxDistance = Math.min(3, Math.floor((word.length + 1) / 3));
  const ranked = allowed
    .map((candidate) => ({ candidate, distance: editDistance(lower, candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= maxDistance)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** “ (allowed: a, b; did you mean “b”?)” for a word that is not one of `allowed`. A long list gives way to the suggestion. */
export function alternatives(word: string, allowed: readonly string[]): string {
  const nearest = suggest(word, allowed);
  const isShort = allowed.length <= 10;
  const list = isShort || nearest === undefined ? [`allowed: ${allowed.join(', ') || 'none'}`] : [];
  return ` (${[...list, ...(nearest === undefined ? [] : [`did you mean “${nearest}”?`])].join('; ')})`;
}

/** How many letters to change, add, drop, or swap with their neighbour. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return Number.POSITIVE_INFINITY;
  let twoRowsUp: number[] = [];
  let rowUp = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = at(rowUp, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? at(twoRowsUp, j - 2) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(changed, swapped, at(rowUp, j) + 1, at(row, j - 1) + 1));
    }
    [twoRowsUp, rowUp] = [rowUp, row];
  }
  return at(rowUp, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
