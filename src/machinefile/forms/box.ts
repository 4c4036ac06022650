import type { MachineDocument } from '../schema.ts';
import type { Parsed } from './parsed.ts';

/** Where a box comes from, in any of the forms a Machinefile allows. Paths are as written. */
export type BoxForm =
  | { readonly kind: 'name'; readonly name: string; readonly version: string | undefined }
  | { readonly kind: 'path'; readonly path: string; readonly checksum: string | undefined }
  | { readonly kind: 'url'; readonly url: string; readonly checksum: string | undefined }
  | { readonly kind: 'oci'; readonly reference: string };

export type BoxDocument = NonNullable<NonNullable<MachineDocument>['box']>;

const NAME = /^[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)*$/;
const IMAGE_FILE = /\.(qcow2|img|raw|box|vmdk|vdi|iso)$/;
const FORMS = 'allowed: name, name@version, ./path, https://…, oci://…';

export function parseBox(box: BoxDocument): Parsed<BoxForm> {
  return typeof box === 'string' ? parseBoxText(box) : parseBoxMapping(box);
}

function parseBoxText(text: string): Parsed<BoxForm> {
  if (/^(\.{1,2}\/|\/|~\/)/.test(text)) return { value: { kind: 'path', path: text, checksum: undefined } };
  if (/^https?:\/\/./.test(text)) return { value: { kind: 'url', url: text, checksum: undefined } };
  if (/^oci:\/\/./.test(text)) return { value: { kind: 'oci', reference: text.slice('oci://'.length) } };
  if (IMAGE_FILE.test(text)) return { mistake: `“${text}” looks like a file (write “./${text}” for a path)` };
  const at = text.indexOf('@');
  const name = at < 0 ? text : text.slice(0, at);
  const version = at < 0 ? undefined : text.slice(at + 1);
  if (!NAME.test(name) || version === '') return { mistake: `“${text}” is not a box (${FORMS})` };
  return { value: { kind: 'name', name, version } };
}

function parseBoxMapping({ name, version, url, path, checksum }: Exclude<BoxDocument, string>): Parsed<BoxForm> {
  const sources = Object.entries({ name, url, path }).filter(([, value]) => value !== undefined);
  if (sources.length !== 1) {
    const given = sources.map(([key]) => `“${key}”`).join(' and ');
    return { mistake: `a box needs one of “name”, “path” and “url”${given === '' ? '' : `, not ${given} together`}` };
  }
  if (version !== undefined && name === undefined) return { mistake: '“version” goes with the “name” of a box' };
  if (checksum !== undefined && name !== undefined)
    return { mistake: '“checksum” goes with the “path” or “url” of a box' };
  if (path !== undefined) return { value: { kind: 'path', path, checksum } };
  if (url !== undefined) return { value: { kind: 'url', url, checksum } };
  return { value: { kind: 'name', name: name ?? '', version: version === undefined ? undefined : String(version) } };
}

/** One version, not a constraint such as `~> 1.2` or `>= 1`. */
export function isExactVersion(version: string): boolean {
  return /^[0-9A-Za-z][0-9A-Za-z.+_-]*$/.test(version);
}
