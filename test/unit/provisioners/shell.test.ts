import { expect, test } from 'vitest';
import type { GuestCommand, GuestResult } from '../../../src/communicators/communicator.ts';
import type { ReportEvent } from '../../../src/context.ts';
import { GuestError } from '../../../src/errors.ts';
import type { ShellStepSpec } from '../../../src/machinefile/step-spec.ts';
import { prepareStep } from '../../../src/provisioners/index.ts';
import { shellFingerprint, shellParts } from '../../../src/provisioners/shell.ts';

function action(overrides: Partial<ShellStepSpec> = {}): ShellStepSpec {
  return {
    type: 'shell',
    script: { kind: 'inline', text: 'echo hi' },
    args: [],
    env: {},
    privileged: true,
    ...overrides,
  };
}

/** A guest whose command prints `lines` and ends with `exitCode`. */
function guest(exitCode: number, lines: readonly string[] = []) {
  const commands: GuestCommand[] = [];
  const events: ReportEvent[] = [];
  const communicator = {
    async exec(command: GuestCommand): Promise<GuestResult> {
      commands.push(command);
      for (const line of lines) command.onLine?.(line, 'stderr');
      return { exitCode, stdout: '', stderr: lines.join('\n') };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const target = { machine: 'web', step: 'postgres', communicator, environment: { A: 'machine', B: 'machine' } };
  const context = { signal: new AbortController().signal, reporter: { report: (e: ReportEvent) => events.push(e) } };
  return { commands, events, run: async (spec: ShellStepSpec) => (await prepareStep(spec)).run(target, context) };
}

test('one command, everything secret on its input; the step’s variables go before the machine’s', async () => {
  const { commands, run } = guest(0);
  await run(action({ args: ['secret-arg'], env: { A: 'secret-env' } }));
  expect(commands).toHaveLength(1);
  expect(commands[0]?.script).not.toMatch(/secret|echo hi/);
  expect(String(commands[0]?.input)).toContain('secret-arg; export A=secret-env B=machine\necho hi');
});

test.each([
  [true, 'exec sudo -n -H sh -c'],
  [false, 'exec sh -c'],
])('privileged: %s', async (privileged, text) => {
  const { commands, run } = guest(0);
  await run(action({ privileged }));
  expect(commands[0]?.script).toContain(text);
  expect(commands[0]?.script.includes('sudo')).toBe(privileged);
});

test('output goes to the reporter with the machine’s name', async () => {
  const { events, run } = guest(0, ['hello']);
  await run(action());
  expect(events).toEqual([{ type: 'output', subject: 'web', stream: 'stderr', line: 'hello' }]);
});

test('a failed step says its name, its exit code and its last lines', async () => {
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
  const error: unknown = await guest(3, lines)
    .run(action())
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(GuestError);
  expect(error).toMatchObject({ exitCode: 3, hint: undefined });
  expect((error as GuestError).message.split('\n')).toEqual([
    'step postgres failed with exit code 3',
    ...lines.slice(10).map((line) => `  ${line}`),
  ]);
});

test('a guest without sudo is told apart', async () => {
  await expect(guest(1, ['sudo: a password is required']).run(action())).rejects.toMatchObject({
    hint: expect.stringContaining('NOPASSWD'),
  });
});

test.each<[string, Partial<ShellStepSpec>, string, boolean]>([
  ['the same', {}, 'a', true],
  ['another order of variables', { env: { B: '2', A: '1' } }, 'a', true],
  ['another script', {}, 'b', false],
  ['other arguments', { args: ['x'] }, 'a', false],
  ['another variable', { env: { A: '1', B: '3' } }, 'a', false],
  ['other privileges', { privileged: false }, 'a', false],
  ['another place', { script: { kind: 'path', path: '/x' } }, 'a', true],
])('fingerprint: %s', (_name, change, script, isSame) => {
  const before = shellFingerprint(action({ env: { A: '1', B: '2' } }), 'a');
  const after = shellFingerprint(action({ env: { A: '1', B: '2' }, ...change }), script);
  expect(after === before).toBe(isSame);
});

test.each<[Partial<ShellStepSpec>, string, readonly string[]]>([
  [{ env: { B: '2', A: '1' } }, 'a', []],
  [{}, 'b', ['script']],
  [{ args: ['x'] }, 'a', ['args']],
  [{ env: { A: '1' } }, 'a', ['env']],
  [{ privileged: false, args: ['x'] }, 'a', ['args', 'privileged']],
])('parts: %o', (change, script, differing) => {
  const before = shellParts(action({ env: { A: '1', B: '2' } }), 'a');
  const after = shellParts(action({ env: { A: '1', B: '2' }, ...change }), script);
  expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual(differing);
});

test('parts tell nothing of what is in them', () => {
  expect(JSON.stringify(shellParts(action({ env: { TOKEN: 'secret' }, args: ['secret'] }), 'a'))).not.toContain(
    'secret',
  );
});
