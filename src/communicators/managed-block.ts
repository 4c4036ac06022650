import { asRoot } from './as-root.ts';
import type { Communicator, GuestResult } from './communicator.ts';

const BEGIN = '# BEGIN machinefile';
const END = '# END machinefile';

/** Our part of a file in a guest, between the lines that tell it from the rest; empty where there is nothing to say. */
export function managedBlock(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${[BEGIN, ...lines, END].join('\n')}\n`;
}

export interface ManagedBlock {
  /** A path that needs no quotes. */
  readonly file: string;
  /** Another file, in place of that where the guest has it. */
  readonly preferred?: string;
  readonly lines: readonly string[];
}

/** Replaces our part of a text file in a guest, in one step, and only when it differs. Resolves with how that ended. */
export function writeManagedBlock(
  communicator: Communicator,
  { file, preferred = file, lines }: ManagedBlock,
  signal: AbortSignal,
): Promise<GuestResult> {
  const block = Buffer.from(managedBlock(lines));
  const script = asRoot(replaceProgram({ file, preferred, blockBytes: block.length }));
  return communicator.exec({ script, input: block, signal });
}

/** The new block comes on standard input, which stays open; the file is whole on the disk before it takes its place. */
function replaceProgram(of: {
  readonly file: string;
  readonly preferred: string;
  readonly blockBytes: number;
}): string {
  const { file, preferred, blockBytes } = of;
  return `
set -e
umask 022
file=${preferred}
[ -e "$file" ] || file=${file}
new=$(mktemp "$file.XXXXXX")
trap 'rm -f "$new"' EXIT
if [ -e "$file" ]; then
  awk '$0 == "${BEGIN}" { skip = 1 } !skip { print } $0 == "${END}" { skip = 0 }' "$file" >"$new"
fi
kept=$(wc -c <"$new")
head -c ${blockBytes} >>"$new"
[ "$(wc -c <"$new")" -eq $((kept + ${blockBytes})) ]
if cmp -s "$new" "$file"; then exit 0; fi
chmod 0644 "$new"
sync
mv -f "$new" "$file"
`.trimStart();
}
