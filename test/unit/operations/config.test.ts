// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Machinefiles have their own
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadProject } from '../../../src/machinefile/load.ts';
import { config } from '../../../src/operations/config.ts';
import { type Files, inFolder, loadFiles, loadInput, machinefile } from '../machinefile/load-files.ts';

const root = new URL('../../../', import.meta.url);
const readProjectFile = (path: string) => readFile(new URL(path, root), 'utf8');

const FILES: Files = {
  'src/': '',
  'config/': '',
  'a b$c/': '',
  'provision/web.sh': '',
  'images/router.qcow2': '',
  'images/netinst.iso': '',
  'keys/id_ed25519': '',
  'keys/id_ed25519.pub': '',
  'network-config.yaml': 'version: 2\nname: $x',
  'user data': '#include https://example.org/$x',
};

/** Loads a Machinefile, writes what it means, and loads that again. */
function roundTrip(text: string) {
  return inFolder({ ...FILES, Machinefile: text }, async (dir) => {
    const { writeFile } = await import('node:fs/promises');
    const first = await loadProject(loadInput(dir, { env: { X: 'a$b', HOME: '/x' } }));
    const written = stringify(config(first.project));
    await writeFile(`${dir}/Machinefile`, written);
    const second = await loadProject(loadInput(dir));
    return { first: first.project, second: second.project, warnings: second.warnings, written };
  });
}

const templates = await readdir(new URL('templates/machinefiles/', root));
const cases: Readonly<Record<string, string>> = {
  'Machinefile.example': await readProjectFile('Machinefile.example'),
  ...Object.fromEntries(
    await Promise.all(templates.map(async (name) => [name, await readProjectFile(`templates/machinefiles/${name}`)])),
  ),
  'dollar signs': machinefile(
    [
      'box: tiny',
      'message: $$HOME $${X} ${X} costs 5$$',
      'environment: { A: "$$A", B: "${X}", C: 1.10, D: "" }',
      'sync: ["./a b$$c:/srv/$$x"]',
      'qemu: { args: ["$$", 007] }',
      'provision:',
      '  - { name: "a $$", shell: "echo $HOME $$ ${X}" }',
      '  - shell: { inline: "echo $$", args: ["$$1", 1.0], env: { A: "$$" } }',
      'cloud_init: { user_data: ./user data, network_config: ./network-config.yaml }',
    ].join('\n'),
  ),
  disks: machinefile('box: tiny\ndisks: [{ name: a, size: 10.5GB }, { name: b, size: 1, format: raw, bus: usb }]'),
  isolation: machinefile('box: tiny\nisolated: true'),
  volumes: [
    'machines: { m: { box: tiny, volumes: ["a:/srv/$$x", "b:/y/"] } }',
    'volumes: { a: , b: { size: 10.5GB }, unused: { size: 16MiB } }',
  ].join('\n'),
  units: machinefile('box: tiny@1.0\nmemory: 1234567B\ndisk: 10.5GB\nboot_timeout: 1m30s500ms\nhalt_timeout: 1ms'),
  ports: machinefile(
    'box: tiny\nports: [80, "8000-8003:9000-9003", "0.0.0.0:53:53/udp", { guest: 5, host: 5, auto_correct: true }]',
  ),
  'cloud-init mapping': machinefile('box: tiny\ncloud_init: { user_data: { runcmd: [[echo, "$$HOME"]] } }'),
  order: [
    'defaults: { box: tiny }',
    'machines:',
    '  db: { healthcheck: { command: "test $$HOME", interval: 1m30s, timeout: 500ms, retries: 9, start_period: 2s } }',
    '  cache: { healthcheck: { command: [test, "$$x"] } }',
    '  web: { depends_on: { db: healthy, cache: provisioned } }',
    '  lb: { depends_on: [web] }',
  ].join('\n'),
  networks: [
    'defaults: { box: tiny }',
    'machines:',
    '  a: { networks: [one, { name: two, address: 10.2.0.9, address6: "fd00::9", mac: "52:54:00:00:00:AB" }] }',
    '  b: { networks: [default] }',
    '  c: { networks: [] }',
    'networks: { one: { enable_ipv6: true, mtu: 1400 }, two: { subnet: 10.2.0.0/24, subnet6: "fd00::/64" }, unused: }',
  ].join('\n'),
  replicas: [
    'defaults: { box: tiny }',
    'machines:',
    '  lb: { depends_on: { web: started, db: started, none: started } }',
    '  web: { replicas: 2, hostname: www.example.org, ports: ["8080-8089:80", "81-82", { guest: 5, host: 5, auto_correct: true }] }',
    '  db: { replicas: 1, primary: true, ports: ["0.0.0.0:8000-8003:80-81/udp"] }',
    '  none: { replicas: 0, depends_on: [db] }',
    '  last: {}',
  ].join('\n'),
  'several machines':
    'defaults: { box: tiny, environment: { A: 1 } }\nmachines: { a: , b: { environment: { A: 2 } }, c: { box: debian/12 } }',
};

describe('config', () => {
  test.each(Object.keys(cases))('written as YAML, %s loads to the same project', async (name) => {
    const { first, second, warnings } = await roundTrip(cases[name] ?? '');
    expect(second).toEqual(first);
    expect(warnings).toEqual([]);
  });

  test('has replicas once, as many as there are now', async () => {
    const { project } = await loadFiles(
      { Machinefile: machinefile('box: tiny\nreplicas: 2\nports: ["8080-8083:80", 81]') },
      { countReplicas: () => 3 },
    );
    expect(config(project).machines).toMatchObject({
      m: { replicas: 3, hostname: 'm', ports: ['127.0.0.1:8080-8083:80/tcp', { guest: 81, host_ip: '127.0.0.1' }] },
    });
  });

  test('speaks the language of the Machinefile', async () => {
    const { written } = await roundTrip(
      machinefile('box: debian/12@1.0\nmemory: 2048\nports: ["8080:80"]\nprovision: [{ shell: id }]'),
    );
    expect(parse(written).machines.m).toEqual({
      provider: 'qemu',
      box: { name: 'debian/12', version: '1.0' },
      cpus: 1,
      memory: '2GiB',
      arch: 'x86_64',
      firmware: 'bios',
      accel: 'auto',
      hostname: 'm',
      display: 'none',
      boot: ['disk'],
      ports: [{ guest: 80, host: 8080, host_ip: '127.0.0.1', protocol: 'tcp', auto_correct: false }],
      provision: [{ name: 'shell-1', run: 'once', cache: true, shell: { inline: 'id', privileged: true } }],
      ssh: { forward_agent: false, forward_x11: false },
      autostart: true,
      primary: false,
      boot_timeout: '5m',
      halt_timeout: '1m',
    });
  });
});
