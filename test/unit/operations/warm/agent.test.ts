import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { answerIn, isTellable, wakeText } from '../../../../src/operations/warm/agent.ts';

const ID = 'ab12cd34-2222-4333-8444-555555555555';

test('a guest is told the time, its id and addresses, and a noise that no other guest is told', () => {
  const text = wakeText(ID, [{ from: '52:54:00:00:00:01', to: '52:54:00:00:00:02' }], []);
  expect(text).toMatch(/^[^\n]*\n\.\n$/);
  const [seconds, microseconds, noise, id, ...cards] = text.split('\n')[0]?.split(' ') ?? [];
  expect(Math.abs(Number(seconds) * 1000 + Number(microseconds) / 1000 - Date.now())).toBeLessThan(1000);
  expect(noise).toMatch(/^[0-9a-f]{128}$/);
  expect(noise).not.toBe(wakeText(ID, [], []).split(' ')[2]);
  expect(id).toBe(ID.replaceAll('-', ''));
  expect(cards).toEqual(['52:54:00:00:00:01=52:54:00:00:00:02']);
});

test('a guest is told its seed, as its shell can write it', async () => {
  const members = [
    { name: 'environment', content: ` A="\\\\1 'x' $(y)\tä%s"\n\n`, mode: 0o644 },
    { name: 'key', content: Uint8Array.from({ length: 256 }, (_, byte) => byte), mode: 0o600 },
    { name: 'empty', content: '', mode: 0o644 },
  ];
  const lines = wakeText(ID, [], members).split('\n').slice(1).join('\n');
  expect(lines).toMatch(/^[\x21-\x7e \n]*$/);
  const script =
    'while read -r member mask content && [ "$member" != . ]; do printf "$member $mask "; printf %b "$content" | od -An -v -tx1 | tr -d " \\n"; echo; done';
  const shell = promisify(execFile)('/bin/busybox', ['sh', '-c', script]);
  shell.child.stdin?.end(lines);
  const hex = (content: string | Uint8Array) => Buffer.from(content).toString('hex');
  expect((await shell).stdout).toBe(
    members.map(({ name, content, mode }) => `${name} ${mode === 0o600 ? '177' : '133'} ${hex(content)}\n`).join(''),
  );
});

test('a seed that a terminal might lose is not told', () => {
  const member = (bytes: number) => [{ name: 'environment', content: 'ä'.repeat(bytes), mode: 0o644 }];
  expect([10, 100_000].map((bytes) => isTellable(member(bytes)))).toEqual([true, false]);
});

test('what a guest answers is found between what else is on its console', () => {
  const before = '[    3.1] random: crng init done\r\nmachinefile: waiting to be another machine\r\n';
  expect(answerIn(before)).toBeUndefined();
  expect(answerIn(`${before}[    4.2] machinefile: answer: read`)).toBeUndefined();
  expect(answerIn(`${before}[    4.2] machinefile: answer: ready\r\n[    4.3] later\r\n`)).toBe('ready');
  expect(answerIn(`${before}[    4.2] machinefile: answer: its clock cannot be set\n`)).toBe('its clock cannot be set');
});
