import { expect, test } from 'vitest';
import { listingText } from '../../../src/cli/snapshot-listing.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';

function snapshot(name: string, changes: Partial<Snapshot> = {}): Snapshot {
  return {
    format: 1,
    id: name,
    name,
    createdAt: '2026-01-31T12:00:00.000Z',
    isPushed: false,
    hasMemory: false,
    disks: [],
    facts: { steps: {}, environmentFingerprint: undefined, started: undefined } as unknown as Snapshot['facts'], // not shown
    ...changes,
  };
}

test('snapshots are shown as a tree, with the one that the machine has gone on from', () => {
  const current = snapshot('patched', { hasMemory: true, description: 'before the tests' });
  const listing = {
    machine: 'web',
    forest: [
      {
        snapshot: snapshot('clean'),
        children: [
          { snapshot: current, children: [{ snapshot: snapshot('leaf'), children: [] }] },
          { snapshot: snapshot('other'), children: [] },
        ],
      },
    ],
    current,
    sizes: new Map([['patched', 2 ** 20]]),
    hiddenBytes: 2 ** 30,
  };
  expect(listingText(listing)).toBe(
    [
      'web',
      '└─ clean (2026-01-31 12:00:00, disks, 0 B)',
      '   ├─ * patched (2026-01-31 12:00:00, memory, 1.0 MiB): before the tests',
      '   │  └─ leaf (2026-01-31 12:00:00, disks, 0 B)',
      '   └─ other (2026-01-31 12:00:00, disks, 0 B)',
      'deleted snapshots that something stands on still take 1.0 GiB',
    ].join('\n'),
  );
});
