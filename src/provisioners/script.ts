import { readFile } from 'node:fs/promises';
import { VmError } from '../errors.ts';
import { sha256, unlessMissing } from '../host/files.ts';
import type { ScriptSource } from '../machinefile/step-spec.ts';
import { downloadPinned } from './download.ts';

/** A script whose content is certain, if not yet here. */
export interface Script {
  /** Hex sha256 of the content as its author wrote it. */
  readonly sha256: string;
  /** The content as it will run. */
  load(signal: AbortSignal): Promise<Uint8Array>;
}

/**
 * Reads a script from where the Machinefile says. One at a URL is fetched only when it is needed: its checksum already
 * says what it is, and a second `up` works without a network.
 */
export async function openScript(source: ScriptSource): Promise<Script> {
  switch (source.kind) {
    case 'inline':
      return scriptOf(Buffer.from(source.text));
    case 'path':
      return scriptOf(await readScript(source.path));
    case 'url':
      return {
        sha256: source.sha256.toLowerCase(),
        load: async (signal) => withUnixLineEnds(await downloadPinned(source, signal)),
      };
  }
}

async function readScript(path: string): Promise<Uint8Array> {
  const bytes = await unlessMissing(readFile(path)).catch((cause: Error) => {
    throw new VmError(`cannot read the script ${path}: ${cause.message}`, { cause });
  });
  if (bytes === undefined) throw new VmError(`the script ${path} does not exist`);
  return bytes;
}

function scriptOf(bytes: Uint8Array): Script {
  return { sha256: sha256(bytes), load: async () => withUnixLineEnds(bytes) };
}

const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf'; // as Latin-1

/**
 * Editors on Windows end lines with CR LF and may begin a file with a byte order mark; no interpreter of a guest
 * expects either. The first line tells. Anything else stays as it is, byte for byte.
 */
export function withUnixLineEnds(script: Uint8Array): Uint8Array {
  const text = Buffer.from(script).toString('latin1'); // one character for each byte
  const unmarked = text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text;
  const firstLineEnd = unmarked.indexOf('\n');
  const fixed = unmarked[firstLineEnd - 1] === '\r' ? unmarked.replaceAll('\r\n', '\n') : unmarked;
  return Buffer.from(fixed, 'latin1');
}

/** What a script's first line asks to be run by: the interpreter, and at most one argument, as the kernel does it. */
export function parseInterpreter(script: Uint8Array): readonly string[] | undefined {
  const firstLine = /^#![ \t]*([^\s]+)[ \t]*([^\n]*)/.exec(Buffer.from(script.subarray(0, 512)).toString('latin1'));
  const [, interpreter, argument] = firstLine ?? [];
  if (interpreter === undefined) return undefined;
  const trimmed = argument?.trimEnd() ?? '';
  return trimmed === '' ? [interpreter] : [interpreter, trimmed];
}
