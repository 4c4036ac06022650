import { join } from 'node:path';
import { expect, test } from 'vitest';
import { VAGRANT_PUBLIC_KEYS } from '../../src/boxes/vagrant/public-keys.ts';
import { publishedImages } from '../support/published-images.ts';
import { TestProject } from '../support/test-project.ts';
import { Vagrant } from '../support/vagrant.ts';

const isRoot = process.getuid?.() === 0;

/** Four boots through a boot loader, and a gigabyte to pack and unpack each time. */
const TIMEOUT_MS = 1_800_000;

/** What no two machines of a box may share. */
const SHOW_IDENTITY = 'cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub';

function machinefile(box: string): string {
  return `machines: { m: { box: "${box}", cpus: 2 } }\n`;
}

test.runIf(isRoot)(
  'vm packages a box that Vagrant runs, and runs the box that Vagrant packages of it',
  async () => {
    const { vagrantBoxPath } = await publishedImages();
    await using project = await TestProject.create({ files: { Machinefile: machinefile(vagrantBoxPath) } });
    const inVm = (command: string) => project.ok('exec', '--', 'sh', '-c', command);
    await project.ok('up');
    await inVm('echo "made by vm" | sudo tee /by-vm');
    const identityInVm = await inVm(SHOW_IDENTITY);
    await project.ok('package', 'm', '--output', 'by-vm.box');
    await project.ok('destroy', '--yes');

    {
      await using vagrant = await Vagrant.start();
      await vagrant.addBox(join(project.dir, 'by-vm.box'));
      expect(await vagrant.run('up')).toContain('Vagrant insecure key detected');
      expect(await vagrant.ssh('cat /by-vm')).toBe('made by vm\n');

      const [machineId, hostKey, ...rest] = (await vagrant.ssh(SHOW_IDENTITY)).split('\n');
      expect(rest).toEqual(['']);
      expect(machineId).toMatch(/^[0-9a-f]{32}$/);
      expect(hostKey).toMatch(/^ssh-ed25519 /);
      expect(identityInVm).not.toContain(machineId);
      expect(identityInVm).not.toContain(hostKey?.split(' ')[1]);
      const keys = await vagrant.ssh('cat ~/.ssh/authorized_keys');
      for (const key of [...VAGRANT_PUBLIC_KEYS, 'vm m']) expect(keys).not.toContain(key);

      await vagrant.ssh('echo "made by Vagrant" | sudo tee /by-vagrant');
      await vagrant.run('package', '--output', join(project.dir, 'by-vagrant.box'));
    }

    await project.write('Machinefile', machinefile('./by-vagrant.box'));
    await project.ok('up');
    expect(await inVm('whoami; cat /by-vm /by-vagrant')).toBe('vagrant\nmade by vm\nmade by Vagrant\n');
    // Vagrant has put a key of its own into the box, and its public line into the guest: only ours is left.
    expect(await inVm('cut -d " " -f 3- ~/.ssh/authorized_keys')).toBe('vm m\n');
  },
  TIMEOUT_MS,
);
