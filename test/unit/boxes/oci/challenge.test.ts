import { expect, test } from 'vitest';
import { parseChallenges } from '../../../../src/boxes/oci/challenge.ts';

const read = (header: string) => parseChallenges(header).map(({ scheme, parameters }) => [scheme, ...parameters]);

test.each([
  ['Basic', [['basic']]],
  ['BASIC Realm=a, charset="UTF-8"', [['basic', ['realm', 'a'], ['charset', 'UTF-8']]]],
  [
    'Bearer realm="https://auth.example.org/token?a=b",service="registry",scope="repository:a/b:pull,push"',
    [
      [
        'bearer',
        ['realm', 'https://auth.example.org/token?a=b'],
        ['service', 'registry'],
        ['scope', 'repository:a/b:pull,push'],
      ],
    ],
  ],
  [
    'Basic realm="a", Bearer realm = "b"',
    [
      ['basic', ['realm', 'a']],
      ['bearer', ['realm', 'b']],
    ],
  ],
  ['Basic realm="say \\"a, b=c\\""', [['basic', ['realm', 'say "a, b=c"']]]],
  ['realm="of nobody"', []],
  ['', []],
])('%s', (header, expected) => {
  expect(read(header)).toEqual(expected);
});
