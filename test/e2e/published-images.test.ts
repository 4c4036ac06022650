import { beforeAll, expect, test } from 'vitest';
import { type PublishedImages, publishedImages } from '../support/published-images.ts';
import { TestProject } from '../support/test-project.ts';

/** Boot loader, initramfs, cloud-init: minutes, where guests are emulated on a busy host. */
const SLOW_BOOT_TIMEOUT_MS = 600_000;

let images: PublishedImages;

beforeAll(async () => {
  images = await publishedImages();
}, 600_000);

test(
  'a cloud image takes its identity, grows its root partition, and is provisioned after cloud-init',
  async () => {
    await using project = await TestProject.create({
      files: {
        Machinefile: `machines:
  cloud:
    box: ${images.cloudImagePath}
    cpus: 2
    memory: 1GiB
    disk: 4GiB
    hostname: shop
    primary: true
    networks: [{ name: lab, address: 10.9.0.7 }]
    cloud_init:
      user_data:
        write_files: [{ path: /etc/answer, content: yes }]
        runcmd: [[cp, /etc/answer, /etc/ran], [/no/such/program]]
    sync: ["./data:/srv/data"]
    provision:
      - shell: test "$(cat /etc/ran)" = yes
  peer: { box: tiny, memory: 128MiB, networks: [lab] }
networks: { lab: { subnet: 10.9.0.0/24, subnet6: "fd00:9::/64" } }
`,
        'data/hello': 'hello\n',
      },
    });
    expect(await project.fails(0, 'up')).toContain('cloud-init was not content');
    const guest = (...command: string[]) => project.ok('exec', '--', ...command);
    expect(await guest('sh', '-c', 'hostname; whoami; sudo -n whoami; cat /srv/data/hello')).toBe(
      'shop\nvm\nroot\nhello\n',
    );
    // The distribution's own user is ours, renamed: there is no other way in.
    expect(await guest('sh', '-c', 'getent passwd debian || echo none')).toBe('none\n');
    expect(await guest('sh', '-c', 'sudo passwd --status vm | cut -d " " -f 2')).toBe('L\n');
    const rootKib = Number(await guest('sh', '-c', 'df -k --output=size / | tail -n 1'));
    expect(rootKib).toBeGreaterThan(3.7 * 1024 ** 2);

    expect(await guest('sh', '-c', 'ip -brief address | grep 10.9.0.7/24 | grep -o fd00:9::2/64')).toBe(
      'fd00:9::2/64\n',
    );
    expect(await guest('getent', 'hosts', 'shop', 'peer.lab')).toMatch(
      /^fd00:9::2\s+shop cloud cloud.lab\nfd00:9::3\s/,
    );
    await guest('timeout', '20', 'bash', '-c', 'exec 3<>/dev/tcp/peer/22 && head -c 4 <&3');
    await project.ok('exec', 'peer', '--', 'ping', '-c', '1', '-W', '10', 'cloud');
  },
  SLOW_BOOT_TIMEOUT_MS,
);

test(
  'a Vagrant box is entered with the public key, which is replaced, and is a machine like others then',
  async () => {
    await using project = await TestProject.create({
      files: {
        Machinefile: `machines:
  bike:
    box: ${images.vagrantBoxPath}
    cpus: 2
    disk: 3GiB
    networks: [{ name: lab, address: 10.9.0.7 }]
    provision:
      - shell: echo "$(whoami) on $(hostname)" >/provisioned
networks: { lab: { subnet: 10.9.0.0/24 } }
`,
      },
    });
    await project.ok('up');
    const guest = (command: string) => project.ok('exec', '--', 'sh', '-c', command);
    expect(await guest('whoami; cat /provisioned')).toBe('vagrant\nroot on bike\n');
    expect(await guest('ip -brief address | grep -o 10.9.0.7/24; getent hosts bike.lab')).toMatch(
      /^10\.9\.0\.7\/24\n10\.9\.0\.7\s+bike bike\.lab\n$/,
    );
    // One key: ours. The host keys that every machine of the box had are gone.
    expect(await guest('cut -d " " -f 3- ~/.ssh/authorized_keys')).toBe('vm bike\n');
    expect(await guest('ls /etc/ssh | grep ssh_host')).toBe('ssh_host_ed25519_key\nssh_host_ed25519_key.pub\n');
    expect(Number(await guest('df -k --output=size / | tail -n 1'))).toBeGreaterThan(2.8 * 1024 ** 2);
    // The order of the box is that of the guest, and no other disk is among them.
    expect(await guest('lsblk --nodeps --noheadings --output NAME')).toBe('vda\nvdb\n');
    expect(await guest('findmnt --noheadings --output SOURCE /')).toBe('/dev/vda1\n');
    expect(await guest('sudo mount /dev/vdb /mnt && cat /mnt/answer')).toBe('the second disk\n');
    await guest('echo kept | sudo tee /mnt/written');
    await project.ok('reload');
    expect(await guest('hostname; sudo mount /dev/vdb /mnt; cat /mnt/written')).toBe('bike\nkept\n');
  },
  SLOW_BOOT_TIMEOUT_MS,
);
