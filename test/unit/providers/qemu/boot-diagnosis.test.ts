import { expect, test } from 'vitest';
import { findFatalConsoleText } from '../../../../src/providers/qemu/boot-diagnosis.ts';

test.each([
  ['[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)', 'kernel panicked'],
  ['You are in emergency mode. After logging in, type "journalctl -xb"', 'emergency shell'],
  ['\u001b[0;1;31mYou are in rescue mode\u001b[0m', 'emergency shell'],
  ['Gave up waiting for root file system device.  Common problems:', 'did not find its root disk'],
  ['BusyBox v1.35.0 (Debian) built-in shell (ash)\nEnter "help"\n\n(initramfs) ', 'initramfs shell'],
  ['Booting from Hard Disk...\nNo bootable device.', 'no boot loader'],
])('%j is fatal', (text, meaning) => {
  expect(findFatalConsoleText(`earlier\n${text}`)).toContain(meaning);
});

test.each(['', '[    0.9] Run /init as init process', 'debian login: ', 'a kernel parameter panic=-1'])(
  '%j is not',
  (text) => {
    expect(findFatalConsoleText(text)).toBeUndefined();
  },
);
