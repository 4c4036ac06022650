import { describe, expect, test } from 'vitest';
import { startedVolumes, volumeLabel, volumeSetting } from '../../../src/machine/volume.ts';

describe('the label of a volume', () => {
  test.each([
    ['pgdata', 'vm-pgdata'],
    ['root', 'vm-root'],
    ['a'.repeat(13), `vm-${'a'.repeat(13)}`],
    ['customer-database', 'vm-custo.5cfed6c'],
  ])('%s: %s', (name, label) => {
    expect(volumeLabel(name)).toBe(label);
  });

  test('fits, and tells names apart that begin alike', () => {
    const labels = ['a', 'b', ''].map((end) => volumeLabel('a'.repeat(60) + end));
    expect(new Set(labels).size).toBe(3);
    expect(labels.map((label) => label.length)).toEqual([16, 16, 16]);
  });
});

test('what a machine was started with is read again as it was recorded', () => {
  const mount = { name: 'a', guestPath: '/a' };
  const planned = { ...mount, label: 'vm-a', path: '/p/a', sizeBytes: undefined };
  const started = { at: '', haltTimeoutMs: 1, settings: { volumes: volumeSetting([planned]) } };
  expect(startedVolumes({ started })).toEqual([mount]);
  expect(startedVolumes({ started: { ...started, settings: {} } })).toEqual([]);
  expect(startedVolumes({ started: undefined })).toEqual([]);
});
