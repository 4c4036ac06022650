import { expect, test } from 'vitest';
import { answerIn, wakeLine } from '../../../../src/operations/warm/agent.ts';

const ID = 'ab12cd34-2222-4333-8444-555555555555';

test('a guest is told the time, its id and addresses, and a noise that no other guest is told', () => {
  const line = wakeLine(ID, [{ from: '52:54:00:00:00:01', to: '52:54:00:00:00:02' }]);
  const [seconds, microseconds, noise, id, ...cards] = line.split(' ');
  expect(Math.abs(Number(seconds) * 1000 + Number(microseconds) / 1000 - Date.now())).toBeLessThan(1000);
  expect(noise).toMatch(/^[0-9a-f]{128}$/);
  expect(noise).not.toBe(wakeLine(ID, []).split(' ')[2]);
  expect(id).toBe(ID.replaceAll('-', ''));
  expect(cards).toEqual(['52:54:00:00:00:01=52:54:00:00:00:02']);
});

test('what a guest answers is found between what else is on its console', () => {
  const before = '[    3.1] random: crng init done\r\nmachinefile: waiting to be another machine\r\n';
  expect(answerIn(before)).toBeUndefined();
  expect(answerIn(`${before}[    4.2] machinefile: answer: read`)).toBeUndefined();
  expect(answerIn(`${before}[    4.2] machinefile: answer: ready\r\n[    4.3] later\r\n`)).toBe('ready');
  expect(answerIn(`${before}[    4.2] machinefile: answer: its clock cannot be set\n`)).toBe('its clock cannot be set');
});
