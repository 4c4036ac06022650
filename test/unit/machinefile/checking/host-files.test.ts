import { describe, expect, test } from 'vitest';
import { inMachine } from '../load-files.ts';

describe('files', () => {
  test.each([
    ['box: ./none.qcow2', '3:10: the box does not exist: none.qcow2'],
    ['box: { path: none.qcow2 }', '3:18: the box does not exist: none.qcow2'],
    ['cdrom: none.iso\ndisk: 1GiB', '3:12: the cdrom does not exist: none.iso'],
    ['box: tiny\nssh: { private_key: s.sh }', '4:25: the public key does not exist: s.sh.pub'],
    ['box: tiny\ncloud_init: { user_data: none }', '4:30: the user data does not exist: none'],
    ['box: tiny\ncloud_init: { network_config: f }', '4:35: the network configuration must be a file: f'],
  ])('%j', async (settings, problem) => {
    expect(await inMachine(settings)).toEqual([`Machinefile:${problem}`]);
  });
});
