import type { FromSchema } from 'json-schema-to-ts';
import { connectionKeys, networks } from './schema/connection.ts';
import { hardwareKeys } from './schema/hardware.ts';
import { lifecycleKeys } from './schema/lifecycle.ts';
import { machineName, resourceName } from './schema/scalars.ts';
import { storageKeys, volumes } from './schema/storage.ts';

const machineKeys = { ...hardwareKeys, ...connectionKeys, ...storageKeys, ...lifecycleKeys } as const;

const machine = {
  type: ['object', 'null'],
  title: 'a machine',
  description: 'A machine. Empty: all as in `defaults`.',
  additionalProperties: false,
  properties: machineKeys,
} as const;

/**
 * The Machinefile as JSON Schema, draft 2020-12. Every key is here, also those whose feature is not built yet
 * (`unbuilt.ts`). Extension keys (`x-…`) are added when it is published, see `publish-schema.ts`.
 */
export const machinefileSchema = {
  type: 'object',
  title: 'a Machinefile',
  description: 'Machines for vm, declared.',
  additionalProperties: false,
  required: ['machines'],
  properties: {
    name: {
      ...resourceName,
      title: 'a project name',
      description: "The project's name. Default: the folder's name.",
      examples: ['shop'],
    },
    defaults: {
      ...machine,
      title: 'a mapping of keys of a machine',
      description:
        'Merged under every machine: mappings merge, lists come before the machine’s own, other values are replaced.',
    },
    machines: {
      type: 'object',
      title: 'a mapping of names to machines',
      description: 'The machines, by name.',
      minProperties: 1,
      propertyNames: machineName,
      additionalProperties: machine,
    },
    networks,
    volumes,
  },
} as const;

/** A Machinefile as written, after interpolation: the only type with optional settings. */
export type MachinefileDocument = FromSchema<typeof machinefileSchema>;

/** One machine as written. */
export type MachineDocument = FromSchema<typeof machine>;
