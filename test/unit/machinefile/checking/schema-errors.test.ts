import { describe, expect, test } from 'vitest';
import { inMachine, inProject } from '../load-files.ts';

describe('the schema', () => {
  test.each([
    ['box: tiny\ncpsu: 2', '4:5: unknown key “cpsu” (did you mean “cpus”?)'],
    [
      'box: tiny\nssh: { usr: me }',
      '4:12: unknown key “usr” (allowed: user, port, private_key, forward_agent, forward_x11, extra_args; did you mean “user”?)',
    ],
    ['box: tiny\ncpus: two', '4:11: “cpus” must be a number of processors from 1 to 512, not “two”'],
    ['box: tiny\ncpus: "2"', '4:11: “cpus” must be a number of processors from 1 to 512, not “2” (remove the quotes)'],
    ['box: tiny\ncpus: 0', '4:11: 0 is not a number of processors from 1 to 512'],
    ['box: tiny\ncpus: 1.5', '4:11: “cpus” must be a number of processors from 1 to 512, not 1.5'],
    ['box: tiny\ncpus: [1]', '4:11: “cpus” must be a number of processors from 1 to 512, not a list'],
    ['box: tiny\ncpus:', '4:5: “cpus” has no value (it must be a number of processors from 1 to 512)'],
    ['box: tiny\nmemory: 1 GiB', '4:13: “1 GiB” is not a size (such as 512MiB, 2GiB, 10GB, 1024)'],
    ['box: tiny\nmemory: 0', '4:13: 0 is not a size (such as 512MiB, 2GiB, 10GB, 1024)'],
    ['box: tiny\nmemory: 0MiB', '4:13: “0MiB” is too small (1MiB to 1024TiB)'],
    ['box: tiny\ndisk: 9999TiB', '4:11: “9999TiB” is too large (1MiB to 1024TiB)'],
    [
      'box: tiny\nboot_timeout: 5',
      '4:19: “boot_timeout” must be a duration with its unit, such as 500ms, 2s, 5m, 1h30m, not 5',
    ],
    ['box: tiny\nboot_timeout: 0s', '4:19: “0s” is too short (more than 0s, at most 24h)'],
    ['box: tiny\nhealthcheck: { command: id, interval: 0s }', '4:43: “0s” is too short (more than 0s, at most 24h)'],
    ['box: tiny\nhealthcheck: { command: id, timeout: 25h }', '4:42: “25h” is too long (more than 0s, at most 24h)'],
    ['box: tiny\nhalt_timeout: 25h', '4:19: “25h” is too long (more than 0s, at most 24h)'],
    ['box: tiny\naccel: kvn', '4:12: “kvn” is not an accelerator (allowed: auto, kvm, tcg, hvf; did you mean “kvm”?)'],
    [
      'box: tiny\narch: amd64',
      '4:11: “amd64” is not an architecture (allowed: x86_64, aarch64; did you mean “x86_64”?)',
    ],
    ['box: tiny\nfirmware: 5', '4:15: 5 is not a firmware (allowed: bios, uefi)'],
    ['box: tiny\nhostname: a_b', '4:15: “a_b” is not a host name (such as web, web.example.org)'],
    [
      'box: tiny\nhostname: 12',
      '4:15: “hostname” must be a host name, such as web, web.example.org, not 12 (write it in quotes: "12")',
    ],
    ['box: tiny\nprimary: yes', '4:14: “primary” must be true or false, not “yes”'],
    ['box: tiny\nboot: [disk, disk]', '4:11: “boot” has the same value twice'],
    ['box: tiny\nboot: []', '4:11: “boot” is empty (it must be a list of boot devices, such as [cdrom, disk])'],
    ['box: tiny\nboot: [disc]', '4:12: “disc” is not a boot device (allowed: disk, cdrom; did you mean “disk”?)'],
    ['box: tiny\nports: 80', '4:12: “ports” must be a list of ports, such as ["8080:80", "53/udp"], not 80'],
    [
      'box: tiny\nports: [true]',
      '4:13: item 1 of “ports” must be a port, such as 8080:80, 0.0.0.0:8080:80, 8000-8010:9000-9010, 53/udp, not true',
    ],
    ['box: tiny\nports: [{ host: 5 }]', '4:13: a port needs “guest”'],
    ['box: tiny\nports: [{ guest: 80, protocol: sctp }]', '4:36: “sctp” is not a protocol (allowed: tcp, udp)'],
    [
      'box: tiny\nports: [{ guest: 80, host_ip: 1.2.3.256 }]',
      '4:35: “1.2.3.256” is not an IPv4 address (such as 127.0.0.1, 0.0.0.0)',
    ],
    [
      'box: tiny\nenvironment: { A-B: 1 }',
      '4:20: “A-B” is not a variable name (allowed: letters, digits and _, not beginning with a digit)',
    ],
    ['box: tiny\nenvironment: { A: "x\\ny" }', '4:23: “x\\ny” is not a text or a number on one line, without #'],
    ['box: tiny\nenvironment: { A: }', '4:20: “A” has no value (it must be a text or a number on one line, without #)'],
    [
      'box: tiny\nenvironment: [A=1]',
      '4:18: “environment” must be a mapping of names to values, such as { LOG_LEVEL: debug }, not a list',
    ],
    ['box: tiny\nssh: { user: "" }', '4:18: “user” is empty (it must be a user name, such as debian)'],
    ['box: tiny\nssh: { port: 70000 }', '4:18: 70000 is not a port number from 1 to 65535'],
    [
      'box: tiny\nprovision: [{ shell: { path: s.sh, checksm: x } }]',
      '4:40: unknown key “checksm” (allowed: inline, path, url, checksum, args, env, privileged; did you mean “checksum”?)',
    ],
    [
      'box: tiny\nprovision: [{ shell: id, run: twice }]',
      '4:35: “twice” is not a run policy (allowed: once, always, never)',
    ],
    [
      'box: tiny\nprovision: [{ shell: "" }]',
      '4:26: “shell” is empty (it must be a script or a mapping, such as apt-get install -y nginx, { path: ./setup.sh })',
    ],
    [
      'box: tiny\nprovision:\n  - shel: id',
      '5:9: unknown key “shel” (allowed: name, run, cache, shell, file, ansible, puppet, docker, compose; did you mean “shell”?)',
    ],
    [
      'box: tiny\nqemu: { args: -m }',
      '4:19: “args” must be a list of arguments, such as [-device, virtio-balloon-pci], not “-m”',
    ],
  ])('%j', async (settings, problem) => {
    expect(await inMachine(settings)).toEqual([`Machinefile:${problem}`]);
  });

  test.each<[string[], string[]]>([
    [[''], ['1:1: a Machinefile needs “machines”']],
    [['name: x'], ['1:1: a Machinefile needs “machines”']],
    [['machines: {}'], ['1:11: “machines” is empty (it must be a mapping of names to machines)']],
    [['machines:'], ['1:1: “machines” has no value (it must be a mapping of names to machines)']],
    [['machines: [a]'], ['1:11: “machines” must be a mapping of names to machines, not a list']],
    [
      ['machins: {}'],
      [
        '1:1: a Machinefile needs “machines”',
        '1:1: unknown key “machins” (allowed: name, defaults, machines, networks, volumes; did you mean “machines”?)',
      ],
    ],
    [['machines: { m: tiny }'], ['1:16: “m” must be a machine, not “tiny”']],
    [['name: My Shop', 'machines: { m: { box: tiny } }'], ['1:7: “My Shop” is not a project name (such as shop)']],
    [
      ['machines:', '  Web_1: { box: tiny }'],
      [
        '2:3: “Web_1” is not a machine name (allowed: lower-case letters, digits and -, beginning and ending with a letter or digit, at most 63 characters)',
      ],
    ],
    [['machines:', `  ${'a'.repeat(64)}: { box: tiny }`], [expect.stringContaining('is not a machine name')]],
  ])('%j', async (lines, problems) => {
    expect((await inProject(...lines)).sort()).toEqual(
      problems.map((problem) => (typeof problem === 'string' ? `Machinefile:${problem}` : problem)),
    );
  });
});
