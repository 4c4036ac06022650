import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, readAll, takePort } from '../support/host-ports.ts';
import { oneTiny } from '../support/machinefiles.ts';
import { TestProject } from '../support/test-project.ts';

/** What the guest's web server says; undefined where nobody lets us in. */
async function fetchFrom(port: number): Promise<string | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/page`).catch(() => undefined);
  return response?.text();
}

/** How many datagrams came to the guest for ports that nobody there has. */
async function datagramsIn(project: TestProject): Promise<number> {
  const counters = await project.ok('exec', '--', 'cat', '/proc/net/snmp');
  return Number(/^Udp: \d+ (\d+)/m.exec(counters)?.[1]);
}

async function sendDatagram(port: number): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.send('hello', port, '127.0.0.1', resolve));
  socket.close();
}

test('ports of a running guest: added, removed, edited, taken by others; it never restarts', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  const bootId = () => project.ok('exec', '--', 'cat', '/proc/sys/kernel/random/boot_id');
  const before = [await bootId(), (await project.status('m')).pid];
  const serve = 'mkdir -p /srv && echo served > /srv/page && httpd -p 8000 -h /srv && httpd -p 8001 -h /srv';
  await project.ok('exec', '--', 'sh', '-c', serve);

  const web = await freePort();
  expect(await project.ok('port', 'add', 'm', `${web}:8000`)).toBe(`127.0.0.1:${web} → 8000\n`);
  expect(await fetchFrom(web)).toBe('served\n');
  const [{ host: udp }] = JSON.parse((await project.ok('port', 'add', 'm', '5353/udp', '--json')).trim()).ports;
  const datagrams = await datagramsIn(project);
  await sendDatagram(udp);
  await expect.poll(() => datagramsIn(project), { timeout: 10_000 }).toBe(datagrams + 1);

  await using taken = await takePort();
  const error = await project.fails(1, 'port', 'add', 'm', '8000', `${taken.port}:8001`);
  expect(error).toMatch(new RegExp(`host port ${taken.port} is already in use by .+ \\(pid ${process.pid}\\)`));
  await using other = await TestProject.create({ files: { Machinefile: oneTiny(`ports: ["${web}:80"]`) } });
  expect(await other.fails(1, 'up')).toContain(
    `host port ${web} is already in use by the machine m in ${project.dir}\n→ m wants it: choose another host port`,
  );

  const edited = await freePort();
  await project.write('Machinefile', oneTiny(`ports: ["${edited}:8000"]`));
  expect((await project.vm('up')).stderr).toBe(`m: port 127.0.0.1:${edited} → 8000 is open\n`);
  expect(await fetchFrom(edited)).toBe('served\n');
  await project.write('Machinefile', oneTiny(`ports: ["${edited}:8001"]`));
  const connection = connect(web, '127.0.0.1');
  expect((await project.vm('up')).stderr).toBe(
    `m: port 127.0.0.1:${edited} → 8000 is closed\nm: port 127.0.0.1:${edited} → 8001 is open\n`,
  );
  expect(await fetchFrom(edited)).toBe('served\n');
  expect((await project.vm('up')).stderr).toBe('');
  connection.destroy();

  await project.ok('port', 'remove', 'm', `${web}:8000`, '5353/udp');
  expect(await readAll(web)).toBe('ECONNREFUSED');
  expect((await project.status('m')).ports).toEqual([
    { host_ip: '127.0.0.1', host: edited, guest: 8001, protocol: 'tcp' },
  ]);
  expect([await bootId(), (await project.status('m')).pid]).toEqual(before);
});
