import { expect, test } from 'vitest';
import { type NoCloudInput, noCloudFiles } from '../../../src/cloud-init/no-cloud.ts';

const input: NoCloudInput = {
  identity: {
    hostname: 'web',
    authorizedKey: 'ssh-ed25519 CLIENT',
    hostKey: { privateKey: 'PRIVATE\nKEY\n', publicKey: 'ssh-ed25519 HOST' },
    networks: [
      { macAddress: '52:54:00:AB:CD:EF', addresses: 'dhcp', gateway: undefined, dnsServers: [], mtu: undefined },
    ],
    hosts: [],
    volumes: [],
  },
  instanceId: '11112222-3333',
  user: 'debian',
  userData: undefined,
  networkConfig: undefined,
};

function parse(text: string): unknown {
  return JSON.parse(text.replace('#cloud-config\n', ''));
}

/** The parts of a multipart message: header lines, and the decoded body. */
function readParts(message: string): { headers: string[]; body: string }[] {
  const boundary = /boundary="(.*)"/.exec(message)?.[1];
  const [, ...sections] = message.split(`--${boundary}`);
  expect(sections.pop()).toBe('--\n');
  return sections.map((section) => {
    const [head = '', ...body] = section.trim().split('\n\n');
    return { headers: head.split('\n'), body: Buffer.from(body.join(''), 'base64').toString() };
  });
}

test('who the machine is', () => {
  const files = noCloudFiles(input);
  expect(parse(files['meta-data'])).toEqual({ 'instance-id': '11112222-3333', 'local-hostname': 'web' });
  expect(files['user-data'].startsWith('#cloud-config\n{')).toBe(true);
  expect(parse(files['user-data'])).toEqual({
    hostname: 'web',
    user: { name: 'debian', sudo: ['ALL=(ALL) NOPASSWD:ALL'], lock_passwd: true },
    users: ['default'],
    ssh_authorized_keys: ['ssh-ed25519 CLIENT'],
    disable_root: true,
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: 'PRIVATE\nKEY\n', ed25519_public: 'ssh-ed25519 HOST' },
    ssh_pwauth: false,
    growpart: { mode: 'auto', devices: ['/'] },
    resize_rootfs: true,
    manage_etc_hosts: 'localhost',
  });
});

test('root may log in where root is the login user', () => {
  const config = parse(noCloudFiles({ ...input, user: 'root' })['user-data']);
  expect(config).toMatchObject({ disable_root: false, user: { name: 'root', lock_passwd: false } });
});

test('networks are matched by address', () => {
  expect(parse(noCloudFiles(input)['network-config'])).toEqual({
    version: 2,
    ethernets: { vm0: { match: { macaddress: '52:54:00:ab:cd:ef' }, dhcp4: true } },
  });
  const network = {
    macAddress: '52:54:00:00:00:02',
    addresses: ['10.1.0.2/16'],
    gateway: '10.1.0.1',
    dnsServers: ['10.1.0.1'],
    mtu: 1400,
  };
  const identity = { ...input.identity, networks: [network] };
  expect(parse(noCloudFiles({ ...input, identity })['network-config'])).toMatchObject({
    ethernets: {
      vm0: {
        addresses: ['10.1.0.2/16'],
        routes: [{ to: '0.0.0.0/0', via: '10.1.0.1' }],
        nameservers: { addresses: ['10.1.0.1'] },
        mtu: 1400,
      },
    },
  });
});

test("the user's network configuration replaces ours", () => {
  expect(noCloudFiles({ ...input, networkConfig: 'version: 2\n' })['network-config']).toBe('version: 2\n');
});

test("the user's configuration stands between what it cannot change and what it can", () => {
  const userData = '#cloud-config\npackages: [nginx]\nssh_pwauth: true\n';
  const [identity, own, defaults] = readParts(noCloudFiles({ ...input, userData })['user-data']);
  expect(own?.body).toBe(userData);
  expect(parse(identity?.body ?? '')).toMatchObject({ hostname: 'web', users: ['default'] });
  expect(parse(defaults?.body ?? '')).toMatchObject({ ssh_pwauth: false, resize_rootfs: true });
  for (const part of [identity, own, defaults]) {
    expect(part?.headers).toEqual([
      'Content-Type: text/cloud-config; charset="utf-8"',
      'Content-Transfer-Encoding: base64',
      'Merge-Type: dict(no_replace,recurse_list)+list(append)+str()',
    ]);
  }
});

test.each([
  ['#!/bin/sh\necho ü\n', 'text/x-shellscript'],
  ['#cloud-boothook\n', 'text/cloud-boothook'],
  ['#include\nhttp://example/\n', 'text/x-include-url'],
  ['## template: jinja\n#cloud-config\n', 'text/jinja2'],
])('%j is a part of its own', (userData, contentType) => {
  const own = readParts(noCloudFiles({ ...input, userData })['user-data'])[1];
  expect(own?.headers[0]).toBe(`Content-Type: ${contentType}; charset="utf-8"`);
  expect(own?.headers).toHaveLength(2);
  expect(own?.body).toBe(userData);
});

test('user data of no known kind is refused', () => {
  expect(() => noCloudFiles({ ...input, userData: 'packages: [nginx]' })).toThrow('cloud_init.user_data');
});
