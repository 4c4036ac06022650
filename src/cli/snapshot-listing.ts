import { describeSize } from '../http/progress-text.ts';
import type { SnapshotNode } from '../machine/snapshot-tree.ts';
import type { SnapshotListing } from '../operations/snapshots/list.ts';

/** The snapshots of a machine as a tree, for people. Pure. */
export function listingText({ machine, forest, current, sizes, hiddenBytes }: SnapshotListing): string {
  if (forest.length === 0) return `${machine} has no snapshots`;
  const describe = ({ snapshot }: SnapshotNode): string => {
    const { id, name, createdAt, hasMemory, description } = snapshot;
    const time = createdAt.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length).replace('T', ' ');
    const facts = [time, hasMemory ? 'memory' : 'disks', describeSize(sizes.get(id) ?? 0)];
    const told = description === undefined ? '' : `: ${description}`;
    return `${id === current?.id ? '* ' : ''}${name} (${facts.join(', ')})${told}`;
  };
  const hidden =
    hiddenBytes === 0 ? [] : [`deleted snapshots that something stands on still take ${describeSize(hiddenBytes)}`];
  return [machine, ...branches(forest, describe), ...hidden].join('\n');
}

function branches(nodes: readonly SnapshotNode[], describe: (node: SnapshotNode) => string): string[] {
  return nodes.flatMap((node, index) => {
    const isLast = index === nodes.length - 1;
    const [joint, rail] = isLast ? ['└─ ', '   '] : ['├─ ', '│  '];
    return [`${joint}${describe(node)}`, ...branches(node.children, describe).map((line) => rail + line)];
  });
}

/** As `--json` prints it: docs/json.md describes it. Pure. */
export function listingDocument({ machine, forest, current, sizes, hiddenBytes }: SnapshotListing) {
  const flat = (nodes: readonly SnapshotNode[], parent: string | null): unknown[] =>
    nodes.flatMap(({ snapshot, children }) => {
      const { id, name, createdAt, description, hasMemory, isPushed } = snapshot;
      const document = {
        snapshot: name,
        parent,
        current: id === current?.id,
        memory: hasMemory,
        pushed: isPushed,
        description: description ?? null,
        created_at: createdAt,
        size_bytes: sizes.get(id) ?? 0,
      };
      return [document, ...flat(children, name)];
    });
  return { machine, snapshots: flat(forest, null), deleted_bytes: hiddenBytes };
}
