import { VmError } from '../../errors.ts';
import {
  asObject,
  findText,
  type JsonObject,
  type JsonSource,
  mistake,
  parseJsonObject,
  placeOf,
  readText,
} from '../vagrant/json-document.ts';

/** Like `parseJsonObject`, for what holds secrets: the parser's own errors quote the text. */
export function parseSecretJson(text: string, source: JsonSource): JsonObject {
  try {
    return parseJsonObject(text, source);
  } catch {
    throw new VmError(`${source.shownAs} is not a JSON object`, { hint: source.hint });
  }
}

/** Undefined where there is nothing, or null. @throws VmError if it is not an object. */
export function findObject(object: JsonObject, key: string): JsonObject | undefined {
  const value = object.fields.get(key) ?? undefined;
  if (value === undefined) return undefined;
  const found = asObject(value, placeOf(object, key), object.source);
  if (found === undefined) throw mistake(object, key, 'is not an object');
  return found;
}

/** @throws VmError if there is none. */
export function readObject(object: JsonObject, key: string): JsonObject {
  const found = findObject(object, key);
  if (found === undefined) throw mistake(object, key, 'is missing');
  return found;
}

/** A whole number, 0 or more. @throws VmError if it is none, or larger than `max`. */
export function readCount(object: JsonObject, key: string, max: number): number {
  return checkCount(object, key, { value: object.fields.get(key), max });
}

/** The same in decimal digits: annotations are texts. */
export function readCountText(object: JsonObject, key: string, max: number): number {
  const text = readText(object, key);
  return checkCount(object, key, { value: /^(0|[1-9]\d*)$/.test(text) ? Number(text) : undefined, max });
}

function checkCount(object: JsonObject, key: string, { value, max }: { value: unknown; max: number }): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw mistake(object, key, 'is not a whole number');
  }
  if (value > max) throw mistake(object, key, `is larger than ${max}`);
  return value;
}

/** A text of a form. @throws VmError if it has another. */
export function readMatching(object: JsonObject, key: string, pattern: RegExp): string {
  const text = readText(object, key);
  if (!pattern.test(text)) throw mistake(object, key, 'has another form than it must');
  return text;
}

/** One of a closed list. @throws VmError naming what it is instead. */
export function readOneOf<T extends string>(object: JsonObject, key: string, allowed: readonly T[]): T {
  const text = findText(object, key);
  const found = allowed.find((candidate) => candidate === text);
  if (found !== undefined) return found;
  throw mistake(
    object,
    key,
    text === undefined ? 'is missing' : `is “${text.slice(0, 100)}”, not ${allowed.join(' or ')}`,
  );
}
