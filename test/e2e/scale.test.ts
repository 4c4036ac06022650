import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TestProject } from '../support/test-project.ts';

const FIRST_HOST_PORT = 18_481;
const REPLICAS = ['web-1', 'web-2', 'web-3'];
const Machinefile = `machines:
  web: { box: tiny, memory: 256MiB, replicas: 1, ports: ["${FIRST_HOST_PORT}-${FIRST_HOST_PORT + 2}:8000"] }
`;

test('one becomes three, each with an identity and a port of its own, and one again', async () => {
  await using project = await TestProject.create({ files: { Machinefile } });
  await project.ok('up');
  const before = await project.status('web-1');
  await project.ok('scale', 'web=3');

  const told = async (...command: string[]) => {
    const lines = (await project.ok('exec', 'web', '--', ...command)).trimEnd().split('\n').sort();
    return lines.map((line) => line.split(' | '));
  };
  expect(await told('hostname')).toEqual(REPLICAS.map((name) => [name, name]));
  const addresses = await told('cat', '/sys/class/net/eth0/address');
  expect(addresses.map(([name]) => name)).toEqual(REPLICAS);
  const hostKeys = await Promise.all(REPLICAS.map((name) => hostKeyOf(project, name)));
  for (const facts of [addresses.map(([, address]) => address), hostKeys]) expect(new Set(facts).size).toBe(3);

  const ping = (name: string) => project.vm('exec', 'web-1', '--', 'ping', '-c', '1', '-W', '5', name);
  for (const name of ['web', 'web-3', 'web-2.default']) expect(await ping(name)).toMatchObject({ exitCode: 0 });

  await project.ok('exec', 'web', '--', 'sh', '-c', 'hostname | nc -l -p 8000 >/dev/null 2>&1 &');
  for (const [index, name] of REPLICAS.entries()) {
    // In the background the program may take a moment to listen.
    await expect.poll(() => readAll(FIRST_HOST_PORT + index), { timeout: 30_000 }).toBe(`${name}\n`);
  }

  expect(await project.ok('scale', 'web=1', '--yes')).toMatch(/\nweb-3, web-2 destroyed\n$/);
  expect(JSON.parse(await project.ok('status', '--json'))).toEqual([before]);
  expect((await ping('web-3')).stderr).toContain('bad address');
});

function hostKeyOf({ dir }: TestProject, machine: string): Promise<string> {
  return readFile(join(dir, '.vm/machines', machine, 'ssh_host_ed25519_key.pub'), 'utf8');
}

function readAll(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      socket.end();
    });
    socket.once('error', reject).once('close', () => resolve(text));
  });
}
