import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeOwnHome } from '../support/own-home.ts';
import { TestProject } from '../support/test-project.ts';

const MACHINEFILE = `machines:
  web:
    box: debian/12
    cpus: 2
    memory: 1GiB
    warm: true
    replicas: 3
    environment: { COLOUR: blue }
    provision:
      - shell: echo provisioned >note
`;

/** All by which two machines could be taken for one another; the last is what the first process knows of its machine. */
const IDENTITY = `hostname
cat /etc/machine-id /proc/sys/kernel/random/boot_id /run/machinefile/ssh_host_ed25519_key.pub
cat /run/machinefile/authorized_keys/vm /sys/class/net/eth0/address
ls /run/log/journal
ip -4 -o address show eth1 | sed 's/.*inet //; s/ .*//'
head -c 64 /dev/urandom | od -An -v -tx1 -w64
echo '[Unit]
Description=%m %H' | sudo tee /run/systemd/system/known.target >/dev/null
systemctl show --property Description --value known.target`;

/** What nothing of may be left in a machine that is another. */
const JOURNAL = `sudo journalctl --no-pager | grep -c -w template || true`;

test('debian/12 goes on from a template, each machine as itself, also after it was suspended', async () => {
  await using home = await makeOwnHome();
  await using project = await TestProject.create({
    files: { Machinefile: MACHINEFILE },
    env: { VM_HOME: home.dir },
  });
  const cold = await project.vm('up', 'web-1');
  expect(cold, cold.stderr).toMatchObject({ exitCode: 0 });
  expect(cold.stderr).not.toContain('warm:');

  const warm = await project.vm('up', 'web-2', 'web-3');
  expect(warm, warm.stderr).toMatchObject({ exitCode: 0 });
  expect(warm.stderr).not.toContain('boots, because');
  const inGuest = (name: string, script: string) => project.ok('exec', name, '--', 'sh', '-c', script);
  const [one = [], two = []] = await Promise.all(
    ['web-2', 'web-3'].map(async (name) => {
      expect(warm.stderr).toContain(`${name}: wake`);
      expect(await readFile(join(project.dir, `.vm/machines/${name}/serial.log`), 'utf8')).not.toContain(
        'Linux version',
      );
      return (await inGuest(name, IDENTITY)).trim().split('\n');
    }),
  );
  expect(one).toHaveLength(10);
  expect(two).toHaveLength(10);
  expect(one.filter((line, index) => line === two[index])).toEqual([]);
  const [hostname, machineId, , , , , journal, , , known] = one;
  expect([hostname, journal, known]).toEqual(['web-2', machineId, `${machineId} web-2`]);

  const askedMs = Date.now();
  const guestMs = Number(await inGuest('web-2', 'date +%s%3N'));
  expect(guestMs).toBeGreaterThan(askedMs - 1000);
  expect(guestMs).toBeLessThan(Date.now() + 1000);
  expect(await inGuest('web-2', `echo $COLOUR; cat note; systemctl is-system-running; ${JOURNAL}`)).toBe(
    'blue\nprovisioned\nrunning\n0\n',
  );

  await project.ok('suspend', 'web-2');
  const resumed = await project.vm('resume', 'web-2');
  expect(resumed.stdout, resumed.stderr).toContain('goes on where it was suspended');
  expect((await inGuest('web-2', IDENTITY)).split('\n').slice(0, 6)).toEqual(one.slice(0, 6));
});
