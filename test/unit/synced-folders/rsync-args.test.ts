import { expect, test } from 'vitest';
import type { SyncSpec } from '../../../src/machinefile/spec.ts';
import { rsyncCommand } from '../../../src/synced-folders/rsync-args.ts';

const spec: SyncSpec = {
  type: 'rsync',
  hostPath: '/home/me/src',
  guestPath: '/srv/app',
  exclude: [],
  delete: true,
  owner: undefined,
  group: undefined,
  args: [],
};

const destination = { transport: 'ssh -F /run/vm/ab/ssh.config', alias: 'web' };

function args(change: Partial<SyncSpec> = {}, source: { user?: string; kind?: 'file' | 'folder' } = {}) {
  const { user = 'vm', kind = 'folder' } = source;
  return rsyncCommand({ spec: { ...spec, ...change }, hostPathKind: kind, user }, destination).args;
}

test('a folder: its content, for the login user, as root', () => {
  expect(rsyncCommand({ spec, hostPathKind: 'folder', user: 'vm' }, destination)).toEqual({
    file: 'rsync',
    args: [
      '--archive',
      '--delete',
      '--exclude=.vm/',
      '--chown=vm:vm',
      '--protect-args',
      '--out-format=%i',
      '--rsync-path=[ -d /srv/app ] || sudo -n mkdir -p /srv/app; sudo -n rsync',
      '--rsh=ssh -F /run/vm/ab/ssh.config',
      '--',
      '/home/me/src/',
      'web:/srv/app',
    ],
  });
});

test.each<[string, readonly string[], string]>([
  ['root needs no sudo', args({}, { user: 'root' }), '--rsync-path=[ -d /srv/app ] || mkdir -p /srv/app; rsync'],
  ['a slash too many', args({ hostPath: '/home/me/src//' }), '/home/me/src/'],
  ['the root folder', args({ hostPath: '/' }), '/'],
  ['an owner brings their group', args({ owner: 'www-data' }), '--chown=www-data:www-data'],
  ['a group of its own', args({ group: 'adm' }), '--chown=vm:adm'],
  ['exclusions', args({ exclude: ['*.o', 'a b'] }), '--exclude=a b'],
  [
    'odd characters',
    args({ guestPath: "/srv/it's $x" }),
    `--rsync-path=[ -d '/srv/it'\\''s $x' ] || sudo -n mkdir -p '/srv/it'\\''s $x'; sudo -n rsync`,
  ],
  ['a file goes to a file', args({ hostPath: '/home/me/x.conf' }, { kind: 'file' }), '/home/me/x.conf'],
  [
    'the folder of that file is made',
    args({ guestPath: '/etc/app/x.conf' }, { kind: 'file' }),
    '--rsync-path=[ -d /etc/app ] || sudo -n mkdir -p /etc/app; sudo -n rsync',
  ],
  [
    'a file into a folder',
    args({ guestPath: '/etc/app/' }, { kind: 'file' }),
    '--rsync-path=[ -d /etc/app/ ] || sudo -n mkdir -p /etc/app/; sudo -n rsync',
  ],
])('%s', (_name, given, expected) => {
  expect(given).toContain(expected);
});

test('deleting is for folders, and only when wanted', () => {
  expect(args({ delete: false })).not.toContain('--delete');
  expect(args({}, { kind: 'file' })).not.toContain('--delete');
});

test('the exclusion of .vm comes first, so that nothing overrules it', () => {
  const given = args({ exclude: ['*.o'], args: ['--include=.vm/', '-z'] });
  expect(given.indexOf('--exclude=.vm/')).toBeLessThan(given.indexOf('--include=.vm/'));
  expect(given.indexOf('-z')).toBeLessThan(given.indexOf('--'));
});
