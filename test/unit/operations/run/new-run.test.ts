import { expect, test } from 'vitest';
import { runPrefix } from '../../../../src/operations/run/new-run.ts';

test.each([
  ['tiny', 'tiny'],
  ['debian/12', 'debian-12'],
  ['team/app_x.y', 'team-app-x-y'],
  ['/images/Router 2.qcow2.xz', 'router-2'],
  ['https://example.org/a/cloud.img?key=1', 'cloud'],
  ['oci://registry.example.org:5000/team/debian:12', 'debian-12'],
  ['/images/日本.raw', 'run'],
  [`/images/${'a'.repeat(39)}-b.raw`, 'a'.repeat(39)],
])('runs of %s are called %s', (place, prefix) => {
  expect(runPrefix(place)).toBe(prefix);
});
