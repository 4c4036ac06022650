import { expect, test } from 'vitest';
import {
  execCommand,
  loginCommand,
  type OpensshMachine,
  opensshConfig,
  opensshHostBlock,
  rsyncTransport,
  stopMasterCommand,
} from '../../../src/communicators/openssh.ts';

const machine: OpensshMachine = {
  alias: 'web-1',
  hostIp: '127.0.0.1',
  port: 22_101,
  user: 'vm',
  privateKeyPath: '/run/vm/ab/machine/id_ed25519',
  knownHostsPath: '/run/vm/ab/machine/known_hosts',
  forwardAgent: false,
  forwardX11: false,
};

const target = { configPath: '/run/vm/ab/ssh.config', alias: 'web-1', extraArgs: ['-v'] };

test('the configuration of a machine', () => {
  expect(opensshConfig(machine, '/run/vm/ab/ssh.sock')).toBe(`Host web-1
  HostName 127.0.0.1
  Port 22101
  User vm
  HostKeyAlias machine
  UserKnownHostsFile "/run/vm/ab/machine/known_hosts"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  IdentityFile "/run/vm/ab/machine/id_ed25519"
  IdentitiesOnly yes
  IdentityAgent none
  PreferredAuthentications publickey
  PasswordAuthentication no
  BatchMode yes
  KexAlgorithms ^curve25519-sha256
  ConnectTimeout 30
  ServerAliveInterval 5
  ServerAliveCountMax 6
  ForwardAgent no
  ForwardX11 no
  LogLevel ERROR
  ControlMaster auto
  ControlPath "/run/vm/ab/ssh.sock"
  ControlPersist 10m
`);
});

test("a block for the user's own configuration shares no connection", () => {
  expect(opensshHostBlock(machine)).not.toContain('Control');
});

test('forwarding the agent leaves ssh its agent', () => {
  const config = opensshHostBlock({ ...machine, forwardAgent: true, forwardX11: true });
  expect(config).toContain('ForwardAgent yes\n  ForwardX11 yes');
  expect(config).not.toContain('IdentityAgent');
});

test.each([{ forwardAgent: true }, { forwardX11: true }])('with %o no connection is shared', (forwarding) => {
  expect(opensshConfig({ ...machine, ...forwarding }, '/run/vm/ab/ssh.sock')).not.toContain('Control');
});

test('paths keep their spaces and percent signs', () => {
  expect(opensshHostBlock({ ...machine, privateKeyPath: '/home/me/100% my/key' })).toContain(
    'IdentityFile "/home/me/100%% my/key"',
  );
});

test.each([
  ['a login', loginCommand(target, []), ['-F', target.configPath, '-v', 'web-1']],
  [
    'a login with options of ssh',
    loginCommand(target, ['-L', '80:localhost:80']),
    ['-F', target.configPath, '-v', 'web-1', '-L', '80:localhost:80'],
  ],
  [
    'a command',
    execCommand(target, ['echo', 'a b', '-n'], false),
    ['-F', target.configPath, '-T', '-v', 'web-1', '--', "echo 'a b' -n"],
  ],
  [
    'a command on a terminal',
    execCommand(target, ['top'], true),
    ['-F', target.configPath, '-t', '-v', 'web-1', '--', 'top'],
  ],
  ['the end of the shared connection', stopMasterCommand(target), ['-F', target.configPath, '-O', 'exit', 'web-1']],
])('%s', (_name, command, args) => {
  expect(command).toEqual({ file: 'ssh', args });
});

test('the transport for rsync', () => {
  expect(rsyncTransport(target.configPath)).toBe('ssh -F /run/vm/ab/ssh.config');
});
