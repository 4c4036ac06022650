import { describe, expect, test } from 'vitest';
import { dealPorts, parsePorts } from '../../../../src/machinefile/forms/ports.ts';
import { loadFiles, machinefile } from '../load-files.ts';

async function load(settings: string, count?: number) {
  const options = count === undefined ? {} : { countReplicas: () => count };
  return (await loadFiles({ Machinefile: machinefile(settings) }, options)).project;
}

describe('a machine with replicas', () => {
  test('becomes so many, each with its own names', async () => {
    const { machines, groups } = await load('box: tiny\nreplicas: 2\nhostname: app.example.org\nmessage: hello');
    expect(machines).toMatchObject([
      { name: 'm-1', replica: { of: 'm', number: 1 }, hostname: 'app-1.example.org', message: 'hello' },
      { name: 'm-2', replica: { of: 'm', number: 2 }, hostname: 'app-2.example.org', message: 'hello' },
    ]);
    expect(groups).toMatchObject([
      { template: { name: 'm', hostname: 'app.example.org' }, declared: 2, replicas: 2, ports: [] },
    ]);
  });

  test.each([0, 1])('%d is a number of replicas, too', async (replicas) => {
    const { machines, groups } = await load(`box: tiny\nreplicas: ${replicas}`);
    expect(machines.map(({ name, hostname }) => [name, hostname])).toEqual(replicas === 1 ? [['m-1', 'm-1']] : []);
    expect(groups).toMatchObject([{ declared: replicas, replicas }]);
  });

  test('as many as are counted, whatever is declared', async () => {
    const { machines, groups } = await load('box: tiny\nreplicas: 1', 3);
    expect(machines.map(({ name }) => name)).toEqual(['m-1', 'm-2', 'm-3']);
    expect(groups).toMatchObject([{ declared: 1, replicas: 3 }]);
    expect((await load('box: tiny', 3)).machines.map(({ name }) => name)).toEqual(['m']);
  });

  test('is on a network with itself, however many there are', async () => {
    for (const replicas of [1, 2]) {
      const { machines, networks } = await load(`box: tiny\nreplicas: ${replicas}`);
      expect(networks.map(({ name }) => name)).toEqual(['default']);
      expect(new Set(machines.map((machine) => machine.networks[0]?.network))).toEqual(new Set(['default']));
    }
  });

  test('the first is the primary one', async () => {
    const { machines } = await load('box: tiny\nreplicas: 2\nprimary: true');
    expect(machines.map(({ primary }) => primary)).toEqual([true, false]);
  });

  test('who depends on it depends on all of them', async () => {
    const { project } = await loadFiles({
      Machinefile: [
        'defaults: { box: tiny }',
        'machines:',
        '  lb: { depends_on: { web: provisioned, none: started } }',
        '  web: { replicas: 2, depends_on: [db] }',
        '  db: { replicas: 1 }',
        '  none: { replicas: 0 }',
      ].join('\n'),
    });
    const named = project.machines.map(({ name, dependsOn }) => [name, dependsOn.map((dependency) => dependency.name)]);
    expect(named).toEqual([
      ['lb', ['web-1', 'web-2', 'none']],
      ['web-1', ['db-1']],
      ['web-2', ['db-1']],
      ['db-1', []],
    ]);
    expect(project.machines[0]?.dependsOn[1]).toEqual({ name: 'web-2', condition: 'provisioned' });
  });
});

describe('ports are dealt out', () => {
  test.each<[string | object, string[][]]>([
    ['8080-8081:80', [['8080:80'], ['8081:80']]],
    [
      '8000-8005:80-81',
      [
        ['8000:80', '8001:81'],
        ['8002:80', '8003:81'],
      ],
    ],
    [
      '80-81',
      [
        [':80', ':81'],
        [':80', ':81'],
      ],
    ],
    [{ guest: 80, host: 8080, auto_correct: true }, [['8080:80'], ['8080:80']]],
  ])('%j', (written, expected) => {
    const parsed = parsePorts(written as Parameters<typeof parsePorts>[0]);
    if ('mistake' in parsed) throw new Error(parsed.mistake);
    const dealt = [1, 2].map((number) =>
      dealPorts(parsed.value, number).map(({ host, guest }) => `${host ?? ''}:${guest}`),
    );
    expect(dealt).toEqual(expected);
  });
});
