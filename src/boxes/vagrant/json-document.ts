import { VmError } from '../../errors.ts';

/** Where a document comes from, and what helps when it is wrong. */
export interface JsonSource {
  readonly shownAs: string;
  readonly hint: string;
}

/** An object in somebody else's JSON. What is wrong with it is told with its place. */
export interface JsonObject {
  readonly source: JsonSource;
  /** As in `versions[2].providers[0]`; empty: the document itself. */
  readonly place: string;
  readonly fields: ReadonlyMap<string, unknown>;
}

/** @throws VmError if the text is not JSON, or not an object. */
export function parseJsonObject(text: string, source: JsonSource): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new VmError(`${source.shownAs} is not JSON`, { hint: source.hint, cause });
  }
  const object = asObject(value, '', source);
  if (object === undefined) throw new VmError(`${source.shownAs} is not a JSON object`, { hint: source.hint });
  return object;
}

/** @throws VmError if there is no text, or a blank one. */
export function readText(object: JsonObject, key: string): string {
  const text = findText(object, key);
  if (text === undefined) throw mistake(object, key, 'is missing');
  return text;
}

/** Undefined where there is no text, or a blank one. Control characters are refused: they could steer a terminal. */
export function findText(object: JsonObject, key: string): string | undefined {
  const value = object.fields.get(key) ?? '';
  if (typeof value !== 'string') throw mistake(object, key, 'is not a text');
  if (/\p{Cc}/u.test(value)) throw mistake(object, key, 'has control characters');
  return value.trim() === '' ? undefined : value;
}

export function findFlag(object: JsonObject, key: string): boolean | undefined {
  const value = object.fields.get(key) ?? undefined;
  if (value !== undefined && typeof value !== 'boolean') throw mistake(object, key, 'is not true or false');
  return value;
}

/** The objects of a list; none where there is no list. */
export function findObjects(object: JsonObject, key: string): JsonObject[] {
  const list = object.fields.get(key) ?? [];
  if (!Array.isArray(list)) throw mistake(object, key, 'is not a list');
  return list.map((value: unknown, i) => {
    const found = asObject(value, placeOf(object, `${key}[${i}]`), object.source);
    if (found === undefined) throw mistake(object, `${key}[${i}]`, 'is not an object');
    return found;
  });
}

/** The error of a wrong field: `shop.json: versions[2].providers[0].url is missing`. */
export function mistake(object: JsonObject, key: string, what: string): VmError {
  const { shownAs, hint } = object.source;
  return new VmError(`${shownAs}: ${placeOf(object, key)} ${what}`, { hint });
}

export function placeOf({ place }: JsonObject, key: string): string {
  return place === '' ? key : `${place}.${key}`;
}

/** Undefined for what is no object. */
export function asObject(value: unknown, place: string, source: JsonSource): JsonObject | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return { source, place, fields: new Map<string, unknown>(Object.entries(value)) };
}
