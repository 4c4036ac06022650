import { expect, test } from 'vitest';
import { TestProject } from '../support/test-project.ts';

/** Builds a box of Debian packages, and boots it: minutes on a slow host. */
const BUILD_TIMEOUT_MS = 600_000;

test(
  'debian/13 is built, boots with no unit failed, has its identity, grows, and hears the power button',
  async () => {
    await using project = await TestProject.create({
      files: { Machinefile: 'machines: { m: { box: debian/13, cpus: 2, memory: 1GiB, disk: 12GiB } }\n' },
    });
    await project.ok('box', 'build', 'debian/13');
    await project.ok('up');
    const guest = (command: string) => project.ok('exec', '--', 'sh', '-c', command);
    expect(await guest('. /etc/os-release; echo "$VERSION_CODENAME $LANG"')).toBe('trixie C.UTF-8\n');
    expect(await guest('hostname; whoami; sudo -n whoami')).toBe('m\nvm\nroot\n');
    expect(await guest('systemctl is-system-running --wait')).toBe('running\n');
    expect(Number(await guest('df -k --output=size / | tail -n 1'))).toBeGreaterThan(11.5 * 1024 ** 2);
    expect(JSON.parse((await project.ok('halt', '--json')).trim().split('\n').at(-1) ?? '')).toMatchObject({
      machines: [{ machine: 'm', outcome: 'power_button' }],
    });
  },
  BUILD_TIMEOUT_MS,
);
