import type { machinefileSchema } from './schema.ts';

/** A part of a JSON Schema, as plain data. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

const EXTENSION_KEYS = { '^x-': { description: 'Yours: vm ignores it.' } } as const;

/**
 * The schema as editors and the validator use it: extension keys are allowed wherever keys are fixed. The machine, which
 * stands both under `defaults` and under `machines`, is one definition, and so is each of its keys: the compiled
 * validator has a function for each, of which only those that a Machinefile needs are compiled when it is loaded.
 */
export function publishSchema(schema: typeof machinefileSchema): JsonSchema {
  const { defaults, machines } = schema.properties;
  const { properties, ...machine } = machines.additionalProperties;
  const keys = Object.entries(properties);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...allowExtensionKeys({
      ...schema,
      properties: {
        ...schema.properties,
        defaults: { ...referenceTo('machine'), title: defaults.title, description: defaults.description },
        machines: { ...machines, additionalProperties: referenceTo('machine') },
      },
    }),
    $defs: {
      machine: allowExtensionKeys({
        ...machine,
        properties: Object.fromEntries(keys.map(([key]) => [key, referenceTo(`machine.${key}`)])),
      }),
      ...Object.fromEntries(keys.map(([key, value]) => [`machine.${key}`, allowExtensionKeys(value)])),
    },
  };
}

function referenceTo(definition: string): JsonSchema {
  return { $ref: `#/$defs/${definition}` };
}

function allowExtensionKeys(schema: JsonSchema): JsonSchema {
  const entries = Object.entries(schema).map(([keyword, value]) => [
    keyword,
    isSchema(value) ? allowExtensionKeys(value) : value,
  ]);
  const copy: JsonSchema = Object.fromEntries(entries);
  return schema.additionalProperties === false ? { ...copy, patternProperties: EXTENSION_KEYS } : copy;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
