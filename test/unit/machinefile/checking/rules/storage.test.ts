import { describe, expect, test } from 'vitest';
import { inMachine, inProject } from '../../load-files.ts';

describe('sync, volumes and disks', () => {
  test.each([
    ['sync: ["./f:srv"]', '4:12: “srv” is not an absolute path in the guest (such as /srv/app)'],
    ['sync: [{ host: f, guest: srv }]', '4:30: “srv” is not an absolute path in the guest (such as /srv/app)'],
    ['sync: ["./f:/srv:ro"]', '4:12: rsync copies to the guest only, so “:ro” has no meaning here (remove it)'],
    ['sync: ["./f:/srv:rw"]', '4:12: “rw” is not a mode (allowed: host:guest, host:guest:ro)'],
    ['sync: ["./f"]', '4:12: “./f” is not a folder to sync (such as ./src:/srv/app)'],
    ['sync: ["./f:/srv", { host: f, guest: /srv/ }]', '4:24: guest path “/srv” is given already, at Machinefile:4'],
    ['sync: ["./none:/srv"]', '4:12: the folder does not exist: none'],
    ['sync: ["./s.sh:/srv"]', '4:12: the folder must be a folder: s.sh'],
    ['sync: [{ host: none, guest: /srv }]', '4:20: the folder does not exist: none'],
  ])('%s', async (settings, problem) => {
    expect(await inMachine(`box: tiny\n${settings}`)).toEqual([`Machinefile:${problem}`]);
  });

  test('disks', async () => {
    const disks = (...items: string[]) => inMachine(`box: tiny\ndisks: [${items.join(', ')}]`);
    const named = (name: string) => `{ name: ${name}, size: 1GiB }`;
    expect(
      await disks(named('a'.repeat(20)), named('0_-'), '{ name: b, size: 1024TiB, format: raw, bus: nvme }'),
    ).toEqual([]);
    expect(await disks(named('a'.repeat(21)))).toEqual([
      'Machinefile:4:21: “aaaaaaaaaaaaaaaaaaaaa” is not a disk name of at most 20 lower-case letters, digits, _ and -, beginning with a letter or digit (such as scratch)',
    ]);
    expect(await disks('{ name: a, size: 1GiB, bus: ide }')).toEqual([
      expect.stringContaining('Machinefile:4:41: “ide” is not a bus (allowed: virtio, scsi, sata, nvme, usb'),
    ]);
    expect(await disks('{ size: 1GiB }')).toEqual(['Machinefile:4:13: a disk needs “name”']);
    const fifteen = Array.from({ length: 15 }, (_, i) => named(`d${i}`));
    expect(await disks(...fifteen)).toEqual([]);
    expect(await disks(...fifteen, named('x'), named('y'))).toEqual([
      expect.stringMatching(/^Machinefile:4:\d+: 17 disks are too many \(at most 15\)$/),
    ]);
  });

  test('volumes and disks', async () => {
    expect(
      await inProject(
        'machines:',
        '  m:',
        '    box: tiny',
        '    volumes: ["pgdta:/a", "pgdata:/a", "pgdata"]',
        '    disks: [{ name: x, size: 1GiB }, { name: x, size: 1B }]',
        'volumes: { pgdata: { size: 1 } }',
      ),
    ).toEqual([
      'Machinefile:4:15: volume “pgdta” is not declared under the top-level “volumes” (allowed: pgdata; did you mean “pgdata”?)',
      'Machinefile:4:27: guest path “/a” is given already, at Machinefile:4',
      'Machinefile:4:40: “pgdata” is not volume:/mount/point (such as pgdata:/var/lib/postgresql)',
      'Machinefile:5:46: disk “x” is given already, at Machinefile:5',
      'Machinefile:5:55: “1B” is too small (1MiB to 1024TiB)',
      'Machinefile:6:28: “1” is too small (16MiB to 1024TiB)',
    ]);
  });

  const withVolumes = (...volumes: readonly string[]) =>
    inProject('machines:', `  m: { box: tiny, volumes: ${JSON.stringify(volumes)} }`, 'volumes: { a: , b: }');

  test('a volume has one place in a machine', async () => {
    expect(await withVolumes('a:/x', 'b:/x/y')).toEqual([]);
    expect(await withVolumes('a:/x', 'a:/y')).toEqual([
      'Machinefile:2:36: volume “a” is given already, at Machinefile:2',
    ]);
    expect(await withVolumes('a:/x/', 'b:/x/y/..')).toEqual([
      'Machinefile:2:37: guest path “/x” is given already, at Machinefile:2',
    ]);
  });

  test.each([
    ['/my data', '“/my data” is not a mount point (an absolute path without white space, “:” and “\\”)'],
    ['/data:ro', '“/data:ro” is not a mount point (an absolute path without white space, “:” and “\\”)'],
    ['/', 'a volume cannot be mounted at “/”: it would hide what the guest needs there'],
    ['/srv/../etc/', 'a volume cannot be mounted at “/srv/../etc/”: it would hide what the guest needs there'],
    ['/run/x', 'a volume cannot be mounted at “/run/x”: it would hide what the guest needs there'],
  ])('a mount point must be one, and not the system’s: %s', async (place, problem) => {
    expect(await withVolumes(`a:${place}`)).toEqual([`Machinefile:2:29: ${problem}`]);
  });

  test('a volume is for one running machine', async () => {
    expect(
      await inProject('machines:', '  m: { box: tiny, replicas: 2, volumes: ["a:/x"] }', 'volumes: { a: }'),
    ).toEqual([
      'Machinefile:2:32: 2 replicas cannot have volumes: only one running machine at a time can have a volume',
    ]);
  });
});
