import { expect, test } from 'vitest';
import { TestProject } from '../support/test-project.ts';

function machinefile(steps: string, settings = ''): string {
  return `machines:
  m:
    box: tiny
    memory: 256MiB
${settings}    provision:
${steps}`;
}

const log = ['exec', 'm', '--', 'cat', '/root/log'];

test('steps run once, in order; a failed one stops up, and the next up goes on there', async () => {
  await using project = await TestProject.create({
    files: {
      Machinefile: machinefile(`      - name: first
        shell: echo first >> /root/log
      - name: second
        shell: |
          echo trying second
          echo second >> /root/log
          test -e /root/cured
      - name: third
        shell: { path: ./third.sh, args: ["two words", "$$HOME"], env: { LEVEL: "2" } }
      - name: each time
        run: always
        shell: echo always >> /root/log
      - name: by hand
        run: never
        shell: echo never >> /root/log
`),
      'third.sh': '#!/bin/sh\necho "third $1 $2 $LEVEL" >> /root/log\n',
    },
  });
  const error = await project.fails(1, 'up');
  expect(error).toContain('m | trying second');
  expect(error).toContain('step second failed with exit code 1');
  expect(error).toContain('vm up m to go on at this step');
  expect(await project.status('m')).toMatchObject({ state: 'running', provisioned: false });

  await project.ok('exec', 'm', '--', 'touch', '/root/cured');
  await project.ok('up');
  expect(await project.ok(...log)).toBe('first\nsecond\nsecond\nthird two words $HOME 2\nalways\n');
  expect(await project.status('m')).toMatchObject({ provisioned: true });

  await project.write('third.sh', '#!/bin/sh\necho changed >> /root/log\n');
  const again = await project.vm('up');
  expect(again.stderr).toContain('step third changed since it ran');
  await project.ok('provision', '--with', 'third,by hand');
  expect((await project.ok(...log)).split('\n').slice(5)).toEqual(['always', 'changed', 'never', '']);
  expect(await project.fails(2, 'provision', '--with', 'nope')).toContain('first, second, third');
});

test('steps run as root or as the login user, with /tmp mounted noexec, by the interpreter they name', async () => {
  await using project = await TestProject.create({
    files: {
      Machinefile: `machines:
  m:
    box: debian/12
    cpus: 2
    memory: 1GiB
    environment: { GREETING: 'hello "quoted" world', MODE: lab }
    provision:
      - shell: mount -t tmpfs -o noexec tmpfs /tmp
      - shell: id -un > /root/who
      - shell: { inline: id -un > ~/who, privileged: false }
      - shell: |
          #!/usr/bin/env python3
          import os, sys
          open('/root/python', 'w').write(os.environ['GREETING'] + ' ' + str(sys.version_info.major))
`,
    },
  });
  await project.ok('up');
  expect(await project.ok('exec', '--', 'sudo', 'cat', '/root/who')).toBe('root\n');
  expect(await project.ok('exec', '--', 'cat', 'who')).toBe('vm\n');
  expect(await project.ok('exec', '--', 'sudo', 'cat', '/root/python')).toBe('hello "quoted" world 3');
  expect(await project.ok('exec', '--', 'printenv', 'GREETING', 'MODE')).toBe('hello "quoted" world\nlab\n');
});

test('environment reaches every login, and what is removed from it goes away', async () => {
  const settings = (environment: string) => `    environment: ${environment}\n`;
  await using project = await TestProject.create({
    files: { Machinefile: machinefile('      - shell: echo "$A" > /root/a\n', settings('{ A: "1 2", B: "x" }')) },
  });
  await project.ok('up');
  expect(await project.ok('exec', '--', 'sh', '-c', 'echo "$A|$B"')).toBe('1 2|x\n');
  expect(await project.ok('exec', '--', 'cat', '/root/a')).toBe('1 2\n');
  await project.write('Machinefile', machinefile('      - shell: "true"\n', settings('{ A: "3" }')));
  await project.ok('up');
  expect(await project.ok('exec', '--', 'sh', '-c', 'echo "$A|$B"')).toBe('3|\n');
});

test('a step dies with the up that started it', async () => {
  await using project = await TestProject.create({
    files: {
      Machinefile: machinefile(`      - name: endless
        shell: |
          echo begun
          while true; do echo tick >> /root/ticks; sleep 0.2; done
`),
    },
  });
  const running = project.start('up');
  await new Promise<void>((resolve) => {
    running.child.stderr?.on('data', (text: string) => {
      if (text.includes('m | begun')) resolve();
    });
  });
  running.child.kill('SIGKILL');
  await running.ended;
  const alive = () => project.ok('exec', 'm', '--', 'sh', '-c', 'ps | grep -c "[w]hile true\\|[s]leep 0.2" || true');
  await expect.poll(alive, { timeout: 30_000, interval: 500 }).toBe('0\n');
});
