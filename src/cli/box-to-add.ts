import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BoxCalling } from '../boxes/importing/import.ts';
import { UsageError } from '../errors.ts';
import { parseWantedChecksum, type WantedChecksum } from '../http/checksum.ts';
import type { BoxReference } from '../machinefile/spec.ts';
import { isVersion, parseConstraint } from '../machinefile/versions.ts';
import { checkBoxName, FIRST_VERSION } from './box-naming.ts';

export interface AddOptions {
  readonly name?: string;
  readonly version?: string;
  readonly checksum?: string;
}

export interface BoxToAdd {
  readonly reference: Extract<BoxReference, { kind: 'path' | 'url' }>;
  readonly called: BoxCalling | undefined;
}

/** What `vm box add` is asked for. @throws UsageError for what means nothing. */
export function parseBoxToAdd(source: string, { name, version, checksum }: AddOptions, cwd: string): BoxToAdd {
  if (name !== undefined) checkBoxName(name);
  const constraint = version === undefined ? undefined : parseConstraint(version);
  if (version !== undefined && constraint === undefined) {
    throw new UsageError(`“${version}” is not a version`, { hint: 'such as 1.2.0, or of a catalog: ~> 1.2, < 2' });
  }
  // It chooses in a catalog; what is none gets it together with a name.
  const given = constraint !== undefined && isVersion(constraint.text) ? constraint.text : FIRST_VERSION;
  const called = name === undefined ? undefined : { name, version: given, isNamed: true };
  const file = { checksum: parseGivenChecksum(checksum), version: constraint };
  if (/^https?:\/\//.test(source)) return { reference: { kind: 'url', url: source, ...file }, called };
  const path = resolve(cwd, source);
  if (!existsSync(path)) {
    throw new UsageError(`there is no file ${source}`, { hint: 'give a path, or an http:// or https:// URL' });
  }
  return { reference: { kind: 'path', path, ...file }, called };
}

function parseGivenChecksum(text: string | undefined): WantedChecksum | undefined {
  if (text === undefined) return undefined;
  const checksum = parseWantedChecksum(text);
  if (checksum === undefined) {
    throw new UsageError(`“${text}” is not a checksum`, {
      hint: 'sha256: or sha512: and its hex digits, or the URL of a SHA256SUMS file',
    });
  }
  return checksum;
}
