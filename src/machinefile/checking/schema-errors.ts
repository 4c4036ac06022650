import type { Data, DataPath } from '../reading/tree.ts';
import { machinefileSchema } from '../schema.ts';
import { alternatives } from '../suggest.ts';
import type { SchemaMistake } from './check-schema.ts';
import type { ValidationError } from './validation-error.ts';

/** The part of our schema that words an error. */
interface ValueSchema {
  readonly title?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly additionalProperties?: ValueSchema | boolean;
  readonly propertyNames?: ValueSchema;
  readonly items?: ValueSchema;
}

/** Turns the validator's errors into sentences: one for each wrong value, the most telling one. */
export function describeSchemaErrors(errors: readonly ValidationError[], data: Data): SchemaMistake[] {
  const mistakes = new Map<string, SchemaMistake>();
  for (const error of errors) {
    if (error.keyword === 'propertyNames') continue; // the error before it says why
    const mistake = describeError(error, data);
    const id = JSON.stringify([mistake.path, mistake.isKey]);
    if (!mistakes.has(id)) mistakes.set(id, mistake);
  }
  return [...mistakes.values()];
}

function describeError(error: ValidationError, data: Data): SchemaMistake {
  const path = pathOf(error.instancePath);
  const schema = schemaAt(path);
  if (error.propertyName !== undefined) {
    const { title, description } = schema.propertyNames ?? {};
    const message = `“${error.propertyName}” is not ${title ?? 'allowed'} (allowed: ${description ?? 'other names'})`;
    return { path: [...path, error.propertyName], isKey: true, message };
  }
  if (error.keyword === 'additionalProperties') {
    const key = String(error.params.additionalProperty);
    const message = `unknown key “${key}”${alternatives(key, Object.keys(schema.properties ?? {}))}`;
    return { path: [...path, key], isKey: true, message };
  }
  return { path, isKey: false, message: describeWrongValue({ error, path, schema, value: dataAt(data, path) }) };
}

interface WrongValue {
  readonly error: ValidationError;
  readonly path: DataPath;
  readonly schema: ValueSchema;
  readonly value: Data | undefined;
}

function describeWrongValue({ error, path, schema, value }: WrongValue): string {
  const label = labelOf(path);
  const title = schema.title ?? 'something else';
  switch (error.keyword) {
    case 'required':
      return `${title} needs “${error.params.missingProperty}”`;
    case 'enum':
      return describeOtherWord(schema, value);
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return `${label} is empty (it must be ${title}${suchAs(schema)})`;
    case 'uniqueItems':
      return `${label} has the same value twice`;
    case 'type':
      if (schema.enum !== undefined && value !== null) return describeOtherWord(schema, value);
      if (value === null) return `${label} has no value (it must be ${title}${suchAs(schema)})`;
      return `${label} must be ${title}${suchAs(schema)}, not ${describeValue(value)}${quotingHint(schema, value)}`;
    default:
      if (value === '') return `${label} is empty (it must be ${title}${suchAs(schema)})`;
      return `${describeValue(value)} is not ${title}${inBrackets(suchAs(schema) || ruleOf(schema))}`;
  }
}

function describeOtherWord({ title, enum: allowed = [] }: ValueSchema, value: Data | undefined): string {
  return `${describeValue(value)} is not ${title}${alternatives(String(value), allowed)}`;
}

function labelOf(path: DataPath): string {
  const last = path.at(-1);
  if (last === undefined) return 'the Machinefile';
  if (!/^[0-9]+$/.test(String(last))) return `“${last}”`;
  return `item ${Number(last) + 1} of ${labelOf(path.slice(0, -1))}`;
}

function suchAs({ examples = [], enum: allowed }: ValueSchema): string {
  if (allowed !== undefined) return `, one of ${allowed.join(', ')}`;
  return examples.length === 0 ? '' : `, such as ${examples.join(', ')}`;
}

function ruleOf({ description = '' }: ValueSchema): string {
  return /^[a-z]/.test(description) ? description : '';
}

function inBrackets(text: string): string {
  return text === '' ? '' : ` (${text.replace(/^, /, '')})`;
}

const LONGEST_QUOTE = 60;

function describeValue(value: Data | undefined): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  if (typeof value !== 'string') return String(value);
  const line = value.replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `“${line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE)}…` : line}”`;
}

/** Numbers in quotes are texts, and texts that look like numbers need them. */
function quotingHint({ type = [], pattern = '' }: ValueSchema, value: Data | undefined): string {
  const takes = (name: string) => [type].flat().includes(name);
  if (typeof value === 'string' && (takes('integer') || takes('boolean')) && /^([0-9]+|true|false)$/.test(value)) {
    return ' (remove the quotes)';
  }
  const isPlain = typeof value === 'number' || typeof value === 'boolean';
  return isPlain && takes('string') && new RegExp(pattern, 'u').test(String(value))
    ? ` (write it in quotes: "${value}")`
    : '';
}

function pathOf(pointer: string): DataPath {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function schemaAt(path: DataPath): ValueSchema {
  return path.reduce<ValueSchema>((schema, key) => {
    const { properties = {}, additionalProperties, items } = schema;
    const other = typeof additionalProperties === 'object' ? additionalProperties : undefined;
    return (Object.hasOwn(properties, key) ? properties[key] : undefined) ?? other ?? items ?? {};
  }, machinefileSchema);
}

function dataAt(data: Data, path: DataPath): Data | undefined {
  return path.reduce<Data | undefined>((value, key) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.hasOwn(value, key) ? (value as Record<string | number, Data>)[key] : undefined;
  }, data);
}
