import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';

/** What `cli/run.ts` exports. */
export type CommandLine = typeof import('./cli/run.ts');

/** The command line as one CommonJS module, and V8's bytecode of it. */
export interface CompiledPaths {
  readonly sourcePath: string;
  readonly bytecodePath: string;
}

/** V8 takes bytecode of its own version only, started with the same flags: the tag in the name stands for both. */
export function compiledPaths(packageDir: string): CompiledPaths {
  const dir = join(packageDir, 'dist/compiled');
  return { sourcePath: join(dir, 'cli.cjs'), bytecodePath: join(dir, `cli-${cachedDataVersionTag()}.v8`) };
}

/** The command line from its bytecode, which takes half the time; undefined where there is none for this V8. */
export function loadCompiled(packageDir: string): CommandLine | undefined {
  const paths = compiledPaths(packageDir);
  const script = readCompiled(paths);
  return script?.cachedDataRejected === false ? runModule<CommandLine>(script, paths.sourcePath) : undefined;
}

function readCompiled({ sourcePath, bytecodePath }: CompiledPaths): Script | undefined {
  try {
    const cachedData = readFileSync(bytecodePath); // where it is missing, the source need not be read
    return readModule(sourcePath, cachedData);
  } catch {
    return undefined;
  }
}

/** Makes a script of a CommonJS module within a function that is given what such a module finds around it. */
export function readModule(path: string, cachedData?: Buffer): Script {
  // esbuild escapes what is not ASCII: as Latin-1 it is read fastest.
  const source = readFileSync(path, 'latin1');
  return new Script(source, { filename: path, ...(cachedData && { cachedData }) });
}

/** What such a module exports. */
export function runModule<Exports>(script: Script, path: string): Exports {
  const module = { exports: {} as Exports }; // who calls knows what is in the file
  script.runInThisContext()(module, module.exports, createRequire(path), path, dirname(path));
  return module.exports;
}
