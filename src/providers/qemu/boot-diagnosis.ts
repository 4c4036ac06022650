import { lastLines, stripTerminalCodes } from '../../machine/console-text.ts';

/** Console texts after which a guest will not come up by itself. */
const FATAL_CONSOLE_TEXTS: readonly { readonly pattern: RegExp; readonly meaning: string }[] = [
  { pattern: /Kernel panic - not syncing.*/, meaning: 'the guest kernel panicked' },
  { pattern: /You are in (emergency|rescue) mode.*/, meaning: 'the guest stopped in an emergency shell' },
  { pattern: /Gave up waiting for root (file system )?device.*/, meaning: 'the guest did not find its root disk' },
  { pattern: /BusyBox v[^\n]*\n[\s\S]*\(initramfs\) *$/, meaning: 'the guest stopped in its initramfs shell' },
  { pattern: /error: no such device: [^\n]*\n[\s\S]*grub rescue>/, meaning: 'the boot loader found no system' },
  { pattern: /No bootable device\./, meaning: 'the disk has no boot loader' },
];

/** What the console says that means the boot has failed; undefined while it may succeed. Pure. */
export function findFatalConsoleText(consoleTail: string): string | undefined {
  const plain = stripTerminalCodes(consoleTail);
  const found = FATAL_CONSOLE_TEXTS.find(({ pattern }) => pattern.test(plain));
  return found && `${found.meaning}; its console says:\n${lastLines(plain)}`;
}
