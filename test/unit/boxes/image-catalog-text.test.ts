import { describe, expect, test } from 'vitest';
import { parseImageCatalog } from '../../../src/boxes/image-catalog-text.ts';
import { MachinefileError } from '../../../src/errors.ts';

const HEX = '0a'.repeat(32);

const COMPLETE = `boxes:
  team/app:
    description: An app
    version: 1.10
    user: admin
    images:
      x86_64:
        url: https://x.example/app.qcow2.xz
        mirrors: [https://y.example/app.qcow2.xz, http://z.example/app]
        checksum: https://x.example/SHA256SUMS
        format: qcow2.xz
      aarch64:
        url: https://x.example/arm.raw
        checksum: sha256:${HEX}
        format: raw
  plain:
    description: As little as possible
    images:
      x86_64: { url: "http://x.example/plain", checksum: "${HEX}", format: ova }
`;

const parse = (yaml: string) => parseImageCatalog({ file: '/c/catalog.yaml', yaml });

const problemsOf = (yaml: string) => {
  try {
    parse(yaml);
  } catch (error) {
    if (error instanceof MachinefileError) return error.message.split('\n');
    throw error;
  }
  return [];
};

describe('parseImageCatalog', () => {
  test('reads every key, and does without those that may be left away', () => {
    const checksum = { algorithm: 'sha256', hex: HEX };
    expect(parse(COMPLETE)).toEqual(
      new Map([
        [
          'team/app',
          {
            description: 'An app',
            version: '1.10',
            user: 'admin',
            images: new Map([
              [
                'x86_64',
                {
                  url: 'https://x.example/app.qcow2.xz',
                  mirrors: ['https://y.example/app.qcow2.xz', 'http://z.example/app'],
                  checksum: { listedAt: 'https://x.example/SHA256SUMS' },
                  format: 'qcow2.xz',
                },
              ],
              ['aarch64', { url: 'https://x.example/arm.raw', checksum, format: 'raw' }],
            ]),
          },
        ],
        [
          'plain',
          {
            description: 'As little as possible',
            images: new Map([['x86_64', { url: 'http://x.example/plain', checksum, format: 'ova' }]]),
          },
        ],
      ]),
    );
  });

  test.each([
    ['boxes:', 'boxs:', ['1:1: unknown key “boxs” (allowed: boxes; did you mean “boxes”?)', '1:1: “boxes” is missing']],
    ['  team/app:', '  Team/app:', ['2:3: “Team/app” is not a name for a box, such as debian/12']],
    ['  plain:', '  team/app:', ['16:3: this key is given twice in the same mapping']],
    ['An app', '[An app]', ['3:18: “description” is wrong (it is a text)']],
    ['version: 1.10', 'version: latest', ['4:14: “version” is wrong (it is a version such as 1.2.0)']],
    ['user: admin', 'user: Admin', ['5:11: “user” is wrong (it is the name of a user)']],
    ['aarch64:', 'arm64:', ['12:7: “arm64” is not an architecture (x86_64, aarch64)']],
    [
      'https://x.example/arm.raw',
      'ftp://x.example/arm.raw',
      ['13:14: “url” is wrong (it is an http:// or https:// URL)'],
    ],
    [', http://z.example/app]', ', z.example]', ['9:18: “mirrors” is wrong (it is a list of URLs)']],
    [`sha256:${HEX}`, 'sha256:0a', ['14:19: “checksum” is wrong (it is sha256:HEX, sha512:HEX, or the URL of a list']],
    ['format: raw', 'format: raw.zip', ['15:17: “format” is wrong (it is qcow2, raw, vmdk']],
    ['        format: raw\n', '', ['12:7: “format” is missing (it is qcow2, raw']],
    [
      '        format: raw',
      '        format: raw\n        size: 1',
      ['16:9: unknown key “size” (allowed: url, mirrors'],
    ],
    ['https://x.example/SHA256SUMS', 'https://x.example/$V', ['10:37: variable “V” is not set']],
  ])('%s → %s', (right, wrong, expected) => {
    const problems = problemsOf(COMPLETE.replace(right, wrong));
    expect(problems).toEqual(expected.map((problem) => expect.stringContaining(`/c/catalog.yaml:${problem}`)));
  });

  test.each([
    ['nothing', '', '1:1: “boxes” is missing (it is a mapping of names to boxes)'],
    ['no boxes', 'boxes: {}', '1:8: “boxes” is wrong (it is a mapping of names to boxes)'],
    ['boxes without anything', 'boxes:\n  a:', '2:3: “a” is wrong (it is a mapping with description and images)'],
    [
      'no images',
      'boxes: { a: { description: x, images: {} } }',
      '“images” is wrong (it is a mapping of architectures',
    ],
    ['no YAML', 'boxes: [', '1:'],
  ])('%s', (_what, yaml, expected) => {
    expect(problemsOf(yaml)).toEqual([expect.stringContaining(expected)]);
  });

  test('all mistakes are told at once', () => {
    const text = COMPLETE.replace('An app', '[]').replace('qcow2.xz\n      a', 'iso\n      a').replace('ova', 'zip');
    expect(problemsOf(text)).toHaveLength(3);
  });
});
