import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { publishSchema } from '../../../src/machinefile/publish-schema.ts';
import { machinefileSchema } from '../../../src/machinefile/schema.ts';
import { type SchemaKey, schemaKeys } from './schema-keys.ts';

const keys = schemaKeys(machinefileSchema);

describe('the schema', () => {
  test.each(keys.map(({ path, schema }): [string, SchemaKey['schema']] => [path, schema]))(
    'describes %s',
    (_, schema) => {
      expect(schema.description ?? '').toMatch(/\S{2,}/);
      expect(schema.title ?? '').not.toBe('');
    },
  );

  test('has every key of a machine', () => {
    const names = Object.keys(machinefileSchema.properties.defaults.properties).sort();
    expect(names).toEqual(
      [
        ...['accel', 'arch', 'autostart', 'boot', 'boot_timeout', 'box', 'cdrom', 'cloud_init', 'cpu', 'cpus'],
        ...['depends_on', 'disk', 'disks', 'display', 'environment', 'firmware', 'halt_timeout', 'healthcheck'],
        ...['hooks', 'hostname', 'isolated', 'libvirt', 'machine', 'memory', 'message', 'networks', 'ports', 'primary'],
        ...['profiles', 'provider', 'provision', 'qemu', 'replicas', 'ssh', 'sync', 'volumes', 'warm'],
      ].sort(),
    );
  });

  test('allows no other keys where keys are fixed', () => {
    for (const { path, schema } of keys) {
      const hasFixedKeys = schema.properties !== undefined;
      if (hasFixedKeys) expect([path, schema.additionalProperties]).toEqual([path, false]);
    }
  });
});

describe('the published schema', () => {
  const published = publishSchema(machinefileSchema);

  test('is what the build wrote', async () => {
    const written = await readFile(new URL('../../../schema/machinefile.schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(written)).toEqual(published);
  });

  test('allows extension keys wherever keys are fixed', () => {
    const text = JSON.stringify(published);
    const count = (part: string) => text.split(part).length - 1;
    expect(count('"additionalProperties":false')).toBeGreaterThan(10);
    expect(count('"patternProperties":{"^x-"')).toBe(count('"additionalProperties":false'));
  });

  test('refers to definitions that are there', () => {
    const definitions = Object.keys(published.$defs as object);
    const references = [...JSON.stringify(published).matchAll(/"\$ref":"#\/\$defs\/([^"]+)"/g)].map(([, name]) => name);
    expect(references.length).toBeGreaterThan(definitions.length);
    for (const reference of references) expect(definitions).toContain(reference);
  });
});
