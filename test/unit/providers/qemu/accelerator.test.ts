import { expect, test } from 'vitest';
import { chooseAccelerator, type KvmFacts, resolveAccelerator } from '../../../../src/providers/qemu/accelerator.ts';

function facts(overrides: Partial<KvmFacts> = {}): KvmFacts {
  return { platform: 'linux', hostArch: 'x64', deviceError: undefined, cpuFlags: new Set(['vmx']), ...overrides };
}

test.each([
  ['Intel', facts(), 'kvm', undefined],
  ['AMD', facts({ cpuFlags: new Set(['svm']) }), 'kvm', undefined],
  ['ARM has no such flags', facts({ hostArch: 'arm64', cpuFlags: new Set() }), 'kvm', undefined],
  ['a device that opens but cannot work', facts({ cpuFlags: new Set(['fpu']) }), 'tcg', 'neither vmx nor svm'],
  ['no device', facts({ deviceError: 'ENOENT' }), 'tcg', 'no /dev/kvm'],
  ['no permission', facts({ deviceError: 'EACCES' }), 'tcg', 'group kvm'],
  ['macOS', facts({ platform: 'darwin' }), 'hvf', undefined],
])('%s', (_name, given, accel, reason) => {
  const verdict = chooseAccelerator(given);
  expect(verdict.accel).toBe(accel);
  if (reason === undefined) expect(verdict.reason).toBeUndefined();
  else expect(verdict.reason).toContain(reason);
});

test('emulation works everywhere; an accelerator that does not work is refused with the reason', () => {
  expect(resolveAccelerator('tcg', facts())).toBe('tcg');
  expect(resolveAccelerator('auto', facts())).toBe('kvm');
  expect(() => resolveAccelerator('kvm', facts({ cpuFlags: new Set() }))).toThrow('accel: kvm does not work');
});
