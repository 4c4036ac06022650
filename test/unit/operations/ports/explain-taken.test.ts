import { expect, test } from 'vitest';
import { StateStore } from '../../../../src/machine/state-store.ts';
import { explainTaken } from '../../../../src/operations/ports/explain-taken.ts';
import { PortTakenError } from '../../../../src/providers/provider.ts';
import { FakeGuest, fakeServices } from '../../../support/fake-services.ts';
import { takePort } from '../../../support/host-ports.ts';

const projectDir = '/nonexistent/project';
const spec = { name: '', projectDir, machines: [], groups: [], networks: [], volumes: [] };
const context = {
  project: { projectDir, states: new StateStore(projectDir), spec, activeProfiles: [] },
  hintFor: () => 'choose another',
  services: fakeServices('/nonexistent/home', new FakeGuest()),
};

test('who has a port cannot always be told: how to look is', async () => {
  // This very process: it is not looked for.
  await using taken = await takePort();
  const address = { hostIp: '127.0.0.1', port: taken.port, protocol: 'tcp' } as const;
  expect(await explainTaken(new PortTakenError(address), context)).toMatchObject({
    message: `host port ${taken.port} is already in use`,
    hint: `choose another; \`sudo ss -ltnup 'sport = :${taken.port}'\` shows who has it`,
  });
});

test('an address that this host does not have is held by nobody', async () => {
  const error = new PortTakenError({ hostIp: '192.0.2.1', port: 5353, protocol: 'udp' });
  expect(error.message).toBe('host port 5353/udp is already in use');
  expect(await explainTaken(error, context)).toMatchObject({
    message: 'no interface of this host has the address 192.0.2.1',
    hint: 'choose another',
  });
});

test('any other error stays as it is', async () => {
  const error = new Error('other');
  expect(await explainTaken(error, context)).toBe(error);
});
