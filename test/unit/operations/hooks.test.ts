import { expect, test } from 'vitest';
import { machineLayout } from '../../../src/machine/layout.ts';
import { type HookFacts, hookEnvironment } from '../../../src/operations/hooks.ts';
import { newRecord, withForwards } from '../../../src/operations/up/create.ts';
import { machineSpec, tinyBox } from '../../support/machine-spec.ts';

const facts: HookFacts = {
  hook: 'after_up',
  projectName: 'shop',
  projectDir: '/srv/my shop',
  machineName: 'web',
  machine: undefined,
};
const common = { VM_HOOK: 'after_up', VM_PROJECT: 'shop', VM_PROJECT_DIR: '/srv/my shop', VM_MACHINE: 'web' };
const noSsh = { VM_SSH_HOST: undefined, VM_SSH_PORT: undefined, VM_SSH_USER: undefined, VM_SSH_KEY: undefined };
const layout = machineLayout('/srv/my shop/.vm/machines/web');

function recordOf(privateKeyPath?: string) {
  const { ssh } = machineSpec();
  return newRecord('shop', machineSpec({ ssh: { ...ssh, privateKeyPath } }), tinyBox(), '/run/vm');
}

const forward = { hostIp: '127.0.0.1', host: 20_022, guest: 22, protocol: 'tcp' } as const;

test('a machine that does not exist has a name only; what this process has of SSH is removed', () => {
  expect(hookEnvironment(facts)).toEqual({ ...common, ...noSsh });
});

test('one that was never started has no port', () => {
  expect(hookEnvironment({ ...facts, machine: { record: recordOf(), layout } })).toEqual({ ...common, ...noSsh });
});

test.each([
  [undefined, layout.privateKeyPath],
  ['/home/me/.ssh/id', '/home/me/.ssh/id'],
])('how to log in, with the key %s', (given, key) => {
  const record = withForwards(recordOf(given), [forward]);
  expect(hookEnvironment({ ...facts, machine: { record, layout } })).toEqual({
    ...common,
    VM_SSH_HOST: '127.0.0.1',
    VM_SSH_PORT: '20022',
    VM_SSH_USER: 'root',
    VM_SSH_KEY: key,
  });
});
