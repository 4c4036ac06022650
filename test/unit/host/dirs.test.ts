import { expect, test } from 'vitest';
import { resolveDirs } from '../../../src/host/dirs.ts';

const base = { userHomeDir: '/home/ann', tempDir: '/tmp', uid: 1000 };

test.each([
  ['defaults', {}, '/home/ann/.local/share/vm', '/tmp/vm-1000'],
  ['XDG', { XDG_DATA_HOME: '/data', XDG_RUNTIME_DIR: '/run/user/1000' }, '/data/vm', '/run/user/1000/vm'],
  ['VM_HOME', { VM_HOME: '/srv/vm' }, '/srv/vm', '/tmp/vm-1000'],
  ['a runtime folder too long for sockets', { XDG_RUNTIME_DIR: `/run/${'x'.repeat(70)}` }, undefined, '/tmp/vm-1000'],
  ['a runtime folder ssh would have to quote', { XDG_RUNTIME_DIR: '/run/a b' }, undefined, '/tmp/vm-1000'],
])('%s', (_what, env, homeDir, runtimeDir) => {
  const dirs = resolveDirs({ ...base, env });
  if (homeDir !== undefined) expect(dirs.homeDir).toBe(homeDir);
  expect(dirs.runtimeDir).toBe(runtimeDir);
});

test('a temp folder too long for sockets is passed over', () => {
  const dirs = resolveDirs({ ...base, env: {}, tempDir: `/${'t'.repeat(80)}` });
  expect(dirs.runtimeDir).toBe('/tmp/vm-1000');
});
