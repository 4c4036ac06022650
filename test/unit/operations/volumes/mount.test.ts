import { expect, test } from 'vitest';
import { fstabLines } from '../../../../src/operations/volumes/fstab.ts';
import { checkHome } from '../../../../src/operations/volumes/mount.ts';

const volumes = [{ label: 'vm-pgdata', guestPath: '/srv/data', grows: false }];

test('fstab: one that is gone holds up no boot; services of systemd find the volume mounted', () => {
  expect(fstabLines(volumes, false)).toEqual(['LABEL=vm-pgdata /srv/data ext4 defaults,nofail 0 2']);
  expect(fstabLines(volumes, true)).toEqual([
    'LABEL=vm-pgdata /srv/data ext4 defaults,nofail,x-systemd.before=local-fs.target 0 2',
  ]);
});

test.each([
  ['/srv/data', true],
  ['/srv/data/home/me', true],
  ['/srv/database', false],
  ['/home/me', false],
])('a home at %s would be hidden: %s', (homeDir, isHidden) => {
  const check = () => checkHome(homeDir, { machine: 'web', volumes });
  if (isHidden) expect(check).toThrow(`web: a volume at /srv/data would hide ${homeDir}, and with it the key`);
  else expect(check).not.toThrow();
});
