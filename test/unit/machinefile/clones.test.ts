import { expect, test } from 'vitest';
import { cloneSpec, isDeclared, withClones } from '../../../src/machinefile/clones.ts';
import { loadFiles } from './load-files.ts';

const Machinefile = `
defaults: { box: tiny }
networks: { lan: { subnet: 10.10.10.0/24 } }
machines:
  web:
    hostname: app.example.org
    primary: true
    ports: ["8080:80", 443, { guest: 81, host: 8081, auto_correct: true }]
    networks: [{ name: lan, address: 10.10.10.7, mac: "52:54:00:00:00:07" }]
    ssh: { port: 2222, user: me }
    depends_on: [db]
  db:
  api: { replicas: 2, ports: ["9000-9009:90"] }
`;

async function load(clones: Readonly<Record<string, string>>) {
  const { project } = await loadFiles({ Machinefile });
  return { project, cloned: withClones(project, new Map(Object.entries(clones))) };
}

test('a clone is as its original is written, but for what may be but once', async () => {
  const { project, cloned } = await load({ try: 'web' });
  const [web] = project.machines;
  expect(cloned.machines.slice(0, -1)).toEqual(project.machines);
  expect(cloned.machines.at(-1)).toEqual({
    ...web,
    name: 'try',
    cloneOf: 'web',
    hostname: 'try.example.org',
    primary: false,
    ports: [
      { ...web?.ports[0], host: undefined },
      { ...web?.ports[1], host: undefined },
      { ...web?.ports[2], host: 8081, autoCorrect: true },
    ],
    networks: [{ network: 'lan', address: undefined, address6: undefined, macAddress: undefined }],
    ssh: { ...web?.ssh, port: undefined },
  });
});

test('a clone of a replica is none, and stays when there are fewer', async () => {
  for (const of of ['api-2', 'api-7']) {
    const { cloned } = await load({ try: of });
    expect(cloned.machines.at(-1)).toMatchObject({ name: 'try', cloneOf: of, hostname: 'try' });
    expect(cloned.machines.at(-1)?.replica).toBeUndefined();
  }
});

test.each([
  ['its original has left the Machinefile', { try: 'gone' }],
  ['the Machinefile has a machine of its name', { db: 'web' }],
  ['its name is that of replicas', { api: 'web' }],
  ['its name is that of a replica', { 'api-9': 'web' }],
])('there is none where %s', async (_, clones) => {
  const { project, cloned } = await load(clones);
  expect(cloned.machines).toEqual(project.machines);
});

test('a clone is not in the Machinefile', async () => {
  const { cloned } = await load({ try: 'web' });
  expect(['web', 'api', 'api-1', 'api-9', 'try', 'web-1'].filter((name) => isDeclared(name, cloned))).toEqual([
    'web',
    'api',
    'api-1',
    'api-9',
  ]);
});

test('a clone of a clone is one of the same machine', async () => {
  const { cloned } = await load({ try: 'web', again: 'web' });
  const [clone, again] = cloned.machines.slice(-2);
  expect(clone && cloneSpec(clone, 'again')).toEqual(again);
});
