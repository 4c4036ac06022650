import { expect, test } from 'vitest';
import { describeFailure } from '../../../src/cli/failure.ts';
import { GuestError, InterruptedError, MachinefileError, UsageError, VmError } from '../../../src/errors.ts';
import { SeveralFailedError } from '../../../src/operations/parallel.ts';

test.each([
  [new VmError('it failed', { hint: 'try this' }), 1, 'vm: it failed\n→ try this'],
  [new UsageError('what?'), 2, 'vm: what?'],
  [new InterruptedError(), 130, 'vm: interrupted'],
  [
    new MachinefileError([{ file: '/p/Machinefile', line: 3, column: 5, message: 'no such key' }]),
    2,
    'Machinefile:3:5: no such key',
  ],
  [
    new SeveralFailedError([
      { subject: 'a', error: new GuestError('a: no') },
      { subject: 'b', error: new GuestError('b: no', { hint: 'look' }) },
    ]),
    1,
    'vm: a: no\nvm: b: no\n→ look\nvm: 2 machines failed: a, b',
  ],
  [
    new SeveralFailedError(
      [{ subject: 'db', error: new GuestError('db: no', { hint: 'look' }) }],
      [
        { subject: 'web', because: 'db' },
        { subject: 'lb', because: 'db' },
      ],
    ),
    1,
    'vm: db: no\n→ look\nvm: 1 machine failed: db; 2 skipped: web (needs db), lb (needs db)',
  ],
])('%s', (error, exitCode, text) => {
  const failure = describeFailure(error, '/p');
  expect(failure.exitCode).toBe(exitCode);
  expect(failure.text).toBe(text);
  expect(failure.json).toMatchObject({ type: 'error', message: error.message, exit_code: exitCode });
});

test('anything unexpected is a bug, shown with its stack', () => {
  const failure = describeFailure(new TypeError('x is undefined'), '/p');
  expect(failure.text).toContain('at ');
  expect(failure.text).toContain('please report it');
});
