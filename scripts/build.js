// Builds dist/ (the binary and the library), the published JSON Schema, and its compiled validator.
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

const generatedDir = join(root, 'src/machinefile/generated');

/** Imports a TypeScript file of ours, whatever Node.js version this is. */
async function importSource(code) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: join(root, 'src'), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

async function writeSchemaAndValidator() {
  const { schema } = await importSource(`
    import { publishSchema } from './machinefile/publish-schema.ts';
    import { machinefileSchema } from './machinefile/schema.ts';
    export const schema = publishSchema(machinefileSchema);
  `);
  await mkdir(join(root, 'schema'), { recursive: true });
  await writeFile(join(root, 'schema/machinefile.schema.json'), `${JSON.stringify(schema, undefined, 2)}\n`);
  await writeValidator(schema);
}

/**
 * Compiles the schema to plain JavaScript: loading ajv and compiling at run time would take longer than all the rest.
 * What is only text for people stays out: it is read from the schema when there is an error to word.
 */
async function writeValidator(schema) {
  const ajv = new Ajv({
    allErrors: true,
    messages: false,
    allowUnionTypes: true,
    inlineRefs: false,
    code: { source: true, esm: true },
  });
  const contents = standaloneCode(ajv, ajv.compile(withoutAnnotations({ ...schema, $schema: undefined })));
  await mkdir(generatedDir, { recursive: true });
  await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: join(generatedDir, 'validate.js'),
  });
  await writeFile(
    join(generatedDir, 'validate.d.ts'),
    `import type { Validate } from '../checking/validation-error.ts';\n\ndeclare const validate: Validate;\nexport default validate;\n`,
  );
}

function withoutAnnotations(schema) {
  const ANNOTATIONS = new Set(['title', 'description', 'examples']);
  const isAnnotation = ([keyword, value]) =>
    ANNOTATIONS.has(keyword) && (typeof value === 'string' || Array.isArray(value));
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema;
  const kept = Object.entries(schema).filter((entry) => !isAnnotation(entry));
  return Object.fromEntries(kept.map(([keyword, value]) => [keyword, withoutAnnotations(value)]));
}

/** What bundled CommonJS packages (ssh2) expect to find around them. */
const COMMONJS_SHIM = `
import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = require('node:url').fileURLToPath(import.meta.url);
const __dirname = require('node:path').dirname(__filename);
`;

const bundling = {
  bundle: true,
  // Names stay: errors are told by their class, and stacks in bug reports by their functions.
  minifyWhitespace: true,
  minifySyntax: true,
  platform: 'node',
  target: 'node20',
  // ssh2 works without its native addons, and nothing native is published with vm.
  external: ['cpu-features', '*.node'],
  // Its ES modules: they start faster than the CommonJS ones that it offers to Node.js.
  alias: { yaml: join(root, 'node_modules/yaml/browser/index.js') },
};

const COMMAND_LINE = 'src/cli/run.ts';

/** The command line stays a module of its own: only without its bytecode it is imported. */
const besideMain = {
  name: 'beside-main',
  setup({ onResolve }) {
    onResolve({ filter: /run\.ts$/ }, () => ({ path: './cli.js', external: true }));
  },
};

async function bundle() {
  await rm(join(root, 'dist'), { recursive: true, force: true });
  await build({
    ...bundling,
    entryPoints: { cli: join(root, COMMAND_LINE), index: join(root, 'src/index.ts') },
    outdir: join(root, 'dist'),
    splitting: true,
    format: 'esm',
    chunkNames: 'chunks/[name]-[hash]',
    banner: { js: COMMONJS_SHIM },
  });
  await build({
    ...bundling,
    entryPoints: [join(root, 'src/main.ts')],
    outfile: join(root, 'dist/main.cjs'),
    format: 'cjs',
    plugins: [besideMain],
  });
  await chmod(join(root, 'dist/main.cjs'), 0o755);
}

/** The command line once more, with the bytecode that the V8 of this Node.js makes of it: see src/compiled.ts. */
async function compile() {
  await build({
    ...bundling,
    stdin: {
      contents: `
        export { loadCommands } from './cli/commands/index.ts';
        export { runCli } from './cli/run.ts';
        export { preloadSsh } from './communicators/ssh.ts';
      `,
      resolveDir: join(root, 'src'),
    },
    outfile: join(root, 'dist/compiled/cli.cjs'),
    format: 'cjs',
    // As V8 is to have it: to put 2.5 MB into a longer text takes time.
    banner: { js: '(function (module, exports, require, __filename, __dirname) {' },
    footer: { js: '})' },
    // A script that V8 is given has no way to import.
    supported: { 'dynamic-import': false },
  });
  const workDir = await mkdtemp(join(tmpdir(), 'vm-build-'));
  try {
    const compiler = join(workDir, 'compile.mjs');
    await build({ ...bundling, entryPoints: [join(root, 'scripts/compile.ts')], outfile: compiler, format: 'esm' });
    await promisify(execFile)(process.execPath, [compiler, root, workDir]);
  } finally {
    await rm(workDir, { recursive: true });
  }
}

await writeSchemaAndValidator();
if (!process.argv.includes('--schema-only')) {
  await bundle();
  await compile();
}
