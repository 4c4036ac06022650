import { describe, expect, test } from 'vitest';
import { inMachine } from '../../load-files.ts';

describe('provision', () => {
  test.each([
    ['- name: x', '5:9: a step needs its type (allowed: shell, file, ansible, puppet, docker, compose)'],
    [
      '- shell: { path: s.sh, inline: id }',
      '5:9: a script needs one of “inline”, “path” and “url”, not “inline” and “path” together',
    ],
    ['- shell: {}', '5:9: a script needs one of “inline”, “path” and “url”'],
    ['- shell: { url: "http://x/y" }', '5:18: a script from a “url” needs its “checksum” (sha256:…)'],
    [
      `- shell: { path: s.sh, checksum: "sha256:${'0'.repeat(64)}" }`,
      '5:30: “checksum” goes with the “url” of a script',
    ],
    ['- shell: { path: none.sh }', '5:24: the script does not exist: none.sh'],
    ['- shell: { path: f }', '5:24: the script must be a file: f'],
    ['- { name: a, shell: id }\n- { name: a, shell: id }', '6:17: step name “a” is given already, at Machinefile:5'],
    ['- { name: shell-2, shell: id }\n- shell: id', '6:9: step name “shell-2” is given already, at Machinefile:5'],
  ])('%j', async (steps, problem) => {
    const settings = `box: tiny\nprovision:\n${steps.replaceAll(/^/gm, '  ')}`;
    expect(await inMachine(settings)).toEqual([`Machinefile:${problem}`]);
  });

  test('two types in one step', async () => {
    expect(await inMachine('box: tiny\nprovision: [{ shell: id, file: "a:b" }]')).toContain(
      'Machinefile:4:30: a step has one type, not “shell” and “file” (make them two steps)',
    );
  });
});
