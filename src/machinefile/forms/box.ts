import { VmError } from '../../errors.ts';
import { parseWantedChecksum, type WantedChecksum } from '../../http/checksum.ts';
import { shownUrl } from '../../http/shown-url.ts';
import { parseReference } from '../oci-reference.ts';
import type { MachineDocument } from '../schema.ts';
import { type Constraint, parseConstraint } from '../versions.ts';
import type { Parsed } from './parsed.ts';

/** Where a box comes from, in any of the forms a Machinefile allows. Paths are as written. */
export type BoxForm =
  | { readonly kind: 'name'; readonly name: string; readonly version: Constraint | undefined }
  | ({ readonly kind: 'path'; readonly path: string } & FileForm)
  | ({ readonly kind: 'url'; readonly url: string } & FileForm)
  | { readonly kind: 'oci'; readonly reference: string; readonly version: undefined };

/** What a file is checked against; where it is a Vagrant catalog, which version of the box in it. */
interface FileForm {
  readonly version: Constraint | undefined;
  readonly checksum: WantedChecksum | undefined;
}

const PLAIN: FileForm = { version: undefined, checksum: undefined };

export type BoxDocument = NonNullable<NonNullable<MachineDocument>['box']>;

const NAME = /^[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)*$/;
const IMAGE_FILE = /\.(qcow2|img|raw|box|vmdk|vdi|vhdx?|ova|iso|xz|gz|zst|bz2)$/;
const FORMS = 'allowed: name, name@version, ./path, https://…, oci://…';

/** Whether a box can be called so. */
export function isBoxName(text: string): boolean {
  return NAME.test(text);
}

export function parseBox(box: BoxDocument): Parsed<BoxForm> {
  return typeof box === 'string' ? parseBoxText(box) : parseBoxMapping(box);
}

function parseBoxText(text: string): Parsed<BoxForm> {
  if (/^(\.{1,2}\/|\/|~\/)/.test(text)) return { value: { kind: 'path', path: text, ...PLAIN } };
  if (/^https?:\/\/./.test(text)) return { value: { kind: 'url', url: text, ...PLAIN } };
  if (text.startsWith('oci://')) return parseOci(text.slice('oci://'.length));
  if (IMAGE_FILE.test(text)) return { mistake: `“${text}” looks like a file (write “./${text}” for a path)` };
  const at = text.indexOf('@');
  const name = at < 0 ? text : text.slice(0, at);
  if (!isBoxName(name) || text.endsWith('@')) return { mistake: `“${text}” is not a box (${FORMS})` };
  return withVersion(at < 0 ? undefined : text.slice(at + 1), (version) => ({ kind: 'name', name, version }));
}

function parseOci(reference: string): Parsed<BoxForm> {
  try {
    parseReference(reference);
    return { value: { kind: 'oci', reference, version: undefined } };
  } catch (error) {
    if (error instanceof VmError) return { mistake: error.message };
    throw error;
  }
}

function parseBoxMapping({ name, version, url, path, checksum }: Exclude<BoxDocument, string>): Parsed<BoxForm> {
  const sources = Object.entries({ name, url, path }).filter(([, value]) => value !== undefined);
  if (sources.length !== 1) {
    const given = sources.map(([key]) => `“${key}”`).join(' and ');
    return { mistake: `a box needs one of “name”, “path” and “url”${given === '' ? '' : `, not ${given} together`}` };
  }
  if (checksum !== undefined && name !== undefined)
    return { mistake: '“checksum” goes with the “path” or “url” of a box' };
  const verified = checksum === undefined ? undefined : parseWantedChecksum(checksum);
  return withVersion(version === undefined ? undefined : String(version), (constraint) => {
    if (path !== undefined) return { kind: 'path', path, version: constraint, checksum: verified };
    if (url !== undefined) return { kind: 'url', url, version: constraint, checksum: verified };
    return { kind: 'name', name: name ?? '', version: constraint };
  });
}

function withVersion(text: string | undefined, form: (version: Constraint | undefined) => BoxForm): Parsed<BoxForm> {
  const version = text === undefined ? undefined : parseConstraint(text);
  if (text !== undefined && version === undefined)
    return { mistake: `“${text}” is not a version (allowed: 1.2.0, or constraints such as ~> 1.2, < 2)` };
  return { value: form(version) };
}

/** What a box is asked for by, without a version, and without what may be secret in a URL. */
export function placeOf(box: BoxForm): string {
  switch (box.kind) {
    case 'name':
      return box.name;
    case 'path':
      return box.path;
    case 'url':
      return shownUrl(box.url);
    case 'oci':
      return `oci://${box.reference}`;
  }
}
