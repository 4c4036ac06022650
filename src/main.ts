#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { loadCompiled } from './compiled.ts';

const packageDir = fileURLToPath(new URL('..', import.meta.url));
const { runCli } = loadCompiled(packageDir) ?? (await import('./cli/run.ts'));
process.exitCode = await runCli(process.argv.slice(2), packageDir);
