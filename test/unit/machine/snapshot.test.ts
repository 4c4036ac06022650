import { expect, test } from 'vitest';
import { restoredRecord, type Snapshot, snapshotFacts } from '../../../src/machine/snapshot.ts';
import {
  lineage,
  nearestVisible,
  type StoredSnapshot,
  snapshotForest,
  unusedSnapshots,
} from '../../../src/machine/snapshot-tree.ts';
import { newRecord } from '../../../src/operations/up/create.ts';
import { machineSpec } from '../../support/machine-spec.ts';

const record = {
  ...newRecord('shop', machineSpec({ name: 'web' }), undefined, '/run/vm'),
  steps: { nginx: { fingerprint: 'f1', doneAt: '2026-01-01T00:00:00.000Z' } },
  disks: [{ name: 'data', format: 'qcow2' as const }],
};

function snapshot(id: string, parentId?: string, changes: Partial<Snapshot> = {}): Snapshot {
  return {
    format: 1,
    id,
    name: `name-${id}`,
    parentId,
    createdAt: `2026-01-01T00:00:0${id}.000Z`,
    isPushed: false,
    hasMemory: false,
    disks: [],
    facts: snapshotFacts(record),
    ...changes,
  };
}

function stored(id: string, parentId?: string, isHidden = false): StoredSnapshot {
  return { id, snapshot: snapshot(id, parentId), isHidden };
}

// 1 ─ 2 (hidden) ─ 3
//          └─ 4
const tree = [stored('1'), stored('2', '1', true), stored('4', '2'), stored('3', '2')];

test('what was made after a hidden one is shown below the nearest that is not; older ones come first', () => {
  const [root, ...others] = snapshotForest(tree);
  expect(others).toEqual([]);
  expect(root?.snapshot.id).toBe('1');
  expect(root?.children.map((node) => node.snapshot.id)).toEqual(['3', '4']);
  expect(nearestVisible(tree, '2')?.id).toBe('1');
  expect(nearestVisible(tree, undefined)).toBeUndefined();
  expect(lineage(tree, '3').map(({ id }) => id)).toEqual(['3', '2', '1']);
});

test('a hidden one goes with the last that stands on it', () => {
  const ids = (entries: readonly StoredSnapshot[], roots: readonly string[]) =>
    unusedSnapshots(entries, roots).map(({ id }) => id);
  expect(ids(tree, [])).toEqual([]);
  const hidden = tree.map((entry) => ({ ...entry, isHidden: true }));
  expect(ids(hidden, [])).toEqual(['1', '2', '4', '3']);
  expect(ids(hidden, ['3'])).toEqual(['4']);
});

test('nothing is unused where nobody knows what a used one stands on', () => {
  const unknown: StoredSnapshot = { id: '5', snapshot: undefined, isHidden: true };
  const hidden = stored('6', undefined, true);
  expect(unusedSnapshots([unknown, hidden], ['5'])).toEqual([]);
  expect(unusedSnapshots([unknown, hidden], [])).toEqual([unknown, hidden]);
});

test('what is true of the disks comes back with them; later disks keep what is on them', () => {
  const later = {
    ...record,
    steps: {},
    hostsFingerprint: 'new',
    disks: [...record.disks, { name: 'later', format: 'qcow2' as const }],
    macAddress: '52:54:00:00:00:01',
  };
  const restored = restoredRecord(later, snapshot('1'));
  expect(restored).toMatchObject({
    steps: record.steps,
    disks: later.disks,
    macAddress: later.macAddress,
    snapshot: '1',
  });
  expect(restored.hostsFingerprint).toBeUndefined();
  expect(restored.ready).toBeUndefined();
});

test('what it was started with comes back with its memory only', () => {
  const started = { at: '2026-01-01T00:00:00.000Z', haltTimeoutMs: 1, settings: { cpus: '1' } };
  const facts = snapshotFacts({ ...record, started });
  const now = { ...record, started: { ...started, settings: { cpus: '2' } } };
  expect(restoredRecord(now, snapshot('1', undefined, { facts })).started).toEqual(now.started);
  expect(restoredRecord(now, snapshot('1', undefined, { facts, hasMemory: true })).started).toEqual(started);
});
