import { describe, expect, test } from 'vitest';
import { inProject } from '../../load-files.ts';

describe('dependencies', () => {
  const check = async (...lines: string[]) =>
    (await inProject('defaults: { box: tiny }', 'machines:', ...lines)).filter(
      (problem) => !problem.includes('not built'),
    );

  test.each<[string, string[], string[]]>([
    [
      'unknown',
      ['  db:', '  web: { depends_on: [bd] }'],
      ['4:23: there is no machine “bd” (allowed: db, web; did you mean “db”?)'],
    ],
    [
      'unknown in a mapping',
      ['  db:', '  web: { depends_on: { bd: started } }'],
      ['4:24: there is no machine “bd” (allowed: db, web; did you mean “db”?)'],
    ],
    [
      'never healthy',
      ['  db:', '  web: { depends_on: { db: healthy } }'],
      ['4:28: machine “db” has no “healthcheck”, so it never is healthy'],
    ],
    [
      'installed by hand',
      [
        '  db: { box: !reset null, cdrom: /dev/null, disk: 1GiB, healthcheck: { command: id } }',
        '  web: { depends_on: { db: healthy } }',
        '  lb: { depends_on: { db: provisioned } }',
        '  log: { depends_on: { db: started } }',
      ],
      [
        '4:28: machine “db” has no “box”, so vm does not log in to it (allowed: started)',
        '5:27: machine “db” has no “box”, so vm does not log in to it (allowed: started)',
      ],
    ],
    ['healthy', ['  db: { healthcheck: { command: id } }', '  web: { depends_on: { db: healthy } }'], []],
    [
      'one replica',
      ['  db: { replicas: 2 }', '  web: { depends_on: [db-1] }', '  lb: { depends_on: [db] }'],
      ['4:23: there is no machine “db-1” (write “db”, which means all of its replicas)'],
    ],
    [
      'its own replicas',
      ['  web: { replicas: 2, depends_on: [web] }'],
      ['3:36: machines wait for each other: web → web'],
    ],
    ['itself', ['  web: { depends_on: [web] }'], ['3:23: machines wait for each other: web → web']],
    [
      'a circle',
      ['  a: { depends_on: [b] }', '  b: { depends_on: [c] }', '  c: { depends_on: { a: started } }'],
      ['5:22: machines wait for each other: a → b → c → a'],
    ],
    ['a diamond', ['  a: { depends_on: [b, c] }', '  b: { depends_on: [d] }', '  c: { depends_on: [d] }', '  d:'], []],
    [
      'a machine that is wrong',
      ['  Bad: { box: tiny }', '  web: { depends_on: [db] }', '  db: { depends_on: 5 }'],
      [expect.stringContaining('3:3: “Bad”'), expect.stringContaining('5:21: “depends_on” must be')],
    ],
  ])('%s', async (_, lines, problems) => {
    expect(await check(...lines)).toEqual(
      problems.map((problem) => (typeof problem === 'string' ? `Machinefile:${problem}` : problem)),
    );
  });
});
