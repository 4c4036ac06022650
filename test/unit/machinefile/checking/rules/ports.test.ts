import { describe, expect, test } from 'vitest';
import { inMachine, inProject } from '../../load-files.ts';

describe('ports', () => {
  test.each([
    ['["80-79"]', '4:13: “80-79” runs backwards (write 79-80)'],
    ['["0:80"]', '4:13: “0” is not a port (1 to 65535)'],
    ['["80:99999"]', '4:13: “99999” is not a port (1 to 65535)'],
    ['["1-2000"]', '4:13: “1-2000” is too long a range (at most 1024 ports)'],
    ['["300.0.0.1:80:80"]', '4:13: “300.0.0.1” is not an IPv4 address'],
    [
      '["8000-8002:80-81"]',
      '4:13: 3 host ports cannot lead to 2 guest ports (give ranges of one length, or for replicas several times as many host ports)',
    ],
    [
      '["8000-8001:80"]',
      '4:13: several host ports for one guest port are for replicas (give one host port, or the machine “replicas”)',
    ],
    [
      '["8000-8003:80-81"]\nreplicas: 3',
      '4:13: 4 host ports are not enough for 3 replicas of 2 ports each (give a range of at least 6, or leave the host port out)',
    ],
    [
      '["8080:80"]\nreplicas: 2',
      '4:13: 1 host port is not enough for 2 replicas (give a range of at least 2, or leave the host port out)',
    ],
    [
      '[{ guest: 80, host: 8080 }]\nreplicas: 2',
      '4:13: 1 host port is not enough for 2 replicas (give a range of at least 2, or leave the host port out)',
    ],
    [
      '["8000-8003:80", "8003:81"]\nreplicas: 1',
      '4:29: host port 8003/tcp is forwarded already, at Machinefile:4 (choose another, or leave the host port out)',
    ],
    [
      '[]\nreplicas: 2\nssh: { port: 2222 }',
      '6:18: host port 2222 cannot lead to 2 replicas (leave “port” out, and each gets a free one)',
    ],
    [
      '["8080:80", "8080:81"]',
      '4:24: host port 8080/tcp is forwarded already, at Machinefile:4 (choose another, or leave the host port out)',
    ],
    [
      '["8080:80", "8079-8081:81-83"]',
      '4:24: host port 8080/tcp is forwarded already, at Machinefile:4 (choose another, or leave the host port out)',
    ],
    [
      '["8000-8009:80-89", "8000-8009:90-99"]',
      '4:32: host port 8000/tcp is forwarded already, at Machinefile:4 (choose another, or leave the host port out)',
    ],
    [
      '["8080:80", "0.0.0.0:8080:81"]',
      '4:24: host port 8080/tcp is forwarded already, at Machinefile:4 (choose another, or leave the host port out)',
    ],
    [
      '["8080:80"]\nssh: { port: 8080 }',
      '5:18: host port 8080/tcp is forwarded already, at Machinefile:4 (choose another, or leave the host port out)',
    ],
  ])('%s', async (ports, problem) => {
    expect(await inMachine(`box: tiny\nports: ${ports}`)).toEqual([`Machinefile:${problem}`]);
  });

  test.each([
    '["8080:80", "8080:80/udp"]',
    '["127.0.0.1:8080:80", "192.168.1.2:8080:80"]',
    '["80", "80"]',
    '["8080:80", { guest: 81, host: 8080, auto_correct: true }]',
    '["8000-8001:80", "8002-8005:81-82", 83, "84-85"]\nreplicas: 2',
    '["8000-8009:80"]\nreplicas: 2',
    '["8080:80"]\nreplicas: 1\nssh: { port: 2222 }',
    '["8080:80"]\nreplicas: 0',
    '[{ guest: 80, host: 8080, auto_correct: true }]\nreplicas: 3',
  ])('%s is fine', async (ports) => {
    expect(await inMachine(`box: tiny\nports: ${ports}`)).toEqual([]);
  });

  test('of two machines', async () => {
    expect(
      await inProject(
        'machines:',
        '  a: { box: tiny, ports: ["8000-8002:80-82"] }',
        '  b:',
        '    box: tiny',
        '    ports:',
        '      - 8001:80',
      ),
    ).toEqual([
      'Machinefile:6:9: host port 8001/tcp is taken by machine “a”, at Machinefile:2 (choose another, or leave the host port out)',
    ]);
  });

  test('of defaults, once for all machines', async () => {
    expect(await inProject('defaults:', '  box: tiny', '  ports: ["8080:80"]', 'machines: { a: , b: , c: }')).toEqual([
      'Machinefile:3:11: host port 8080/tcp cannot lead to more than one machine (leave the host port out, and each gets a free one)',
    ]);
  });

  test('long ranges are compared as ranges', async () => {
    const ranges = Array.from({ length: 20 }, (_, index) => `"${index * 1024 + 1}-${index * 1024 + 1024}"`);
    const ports = ranges.map((range) => `"${range.slice(1, -1)}:${range.slice(1, -1)}"`).join(', ');
    expect(
      await inProject('machines:', `  a: { box: tiny, ports: [${ports}] }`, `  b: { box: tiny, ports: [${ports}] }`),
    ).toHaveLength(20);
  });
});
