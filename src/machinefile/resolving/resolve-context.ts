import type { DataPath } from '../reading/tree.ts';
import { dirOf, type Source } from '../source.ts';
import type { Arch } from '../spec.ts';
import { resolveHostPath } from './host-paths.ts';

/** What resolving needs beside the document itself. */
export interface ResolveInput {
  readonly source: Source;
  readonly projectDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly homeDir: string;
  /** The host's. */
  readonly arch: Arch;
  /** The content of files that become part of the spec, by absolute path. */
  readonly texts: ReadonlyMap<string, string>;
}

export interface ResolveContext extends ResolveInput {
  /** A host path made absolute: it begins at the file that has it, which `at` tells. */
  hostPath(written: string, at: DataPath): string;
}

export function resolveContext(input: ResolveInput): ResolveContext {
  const { source, homeDir } = input;
  return { ...input, hostPath: (written, at) => resolveHostPath(written, { dir: dirOf(source, at), homeDir }) };
}
