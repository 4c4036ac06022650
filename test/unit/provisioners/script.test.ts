import { expect, test } from 'vitest';
import { openScript, parseInterpreter, withUnixLineEnds } from '../../../src/provisioners/script.ts';

const sha256OfA = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb';

test.each([
  ['echo hi', undefined],
  ['#!/bin/sh\necho', ['/bin/sh']],
  ['#! /bin/bash -eu\necho', ['/bin/bash', '-eu']],
  ['#!/usr/bin/env python3', ['/usr/bin/env', 'python3']],
  ['#!/usr/bin/env -S node --no-warnings  \n', ['/usr/bin/env', '-S node --no-warnings']],
  ['#!\necho', undefined],
  ['# !/bin/sh', undefined],
])('the interpreter of %j', (script, words) => {
  expect(parseInterpreter(Buffer.from(script))).toEqual(words);
});

test.each([
  ['unix', 'a\nb\n', 'a\nb\n'],
  ['Windows', '#!/bin/sh\r\necho hi\r\n', '#!/bin/sh\necho hi\n'],
  ['a byte order mark', '\ufeff#!/bin/sh\n', '#!/bin/sh\n'],
  ['carriage returns further down', 'cat <<E\na\r\nE\n', 'cat <<E\na\r\nE\n'],
  ['one line', 'echo ü', 'echo ü'],
  ['nothing', '', ''],
])('line ends: %s', (_name, script, fixed) => {
  expect(Buffer.from(withUnixLineEnds(Buffer.from(script))).toString()).toBe(fixed);
});

test('bytes that are no text stay as they are', () => {
  const bytes = Buffer.from([0x23, 0x0a, 0xff, 0x00, 0x80, 0x0d, 0x0a]);
  expect(withUnixLineEnds(bytes)).toEqual(bytes);
});

test('an inline script is there at once', async () => {
  const script = await openScript({ kind: 'inline', text: 'a' });
  expect(script.sha256).toBe(sha256OfA);
  expect(Buffer.from(await script.load(new AbortController().signal)).toString()).toBe('a');
});

test('a script that is missing is named', async () => {
  await expect(openScript({ kind: 'path', path: '/nowhere/x.sh' })).rejects.toThrow('/nowhere/x.sh does not exist');
  await expect(openScript({ kind: 'path', path: '/' })).rejects.toThrow('cannot read the script /');
});

test('a script at a URL is known by its checksum before it is fetched', async () => {
  const script = await openScript({
    kind: 'url',
    url: 'https://nowhere.invalid/x.sh',
    sha256: sha256OfA.toUpperCase(),
  });
  expect(script.sha256).toBe(sha256OfA);
});
