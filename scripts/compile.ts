// Keeps V8's bytecode of what it compiles for the first commands. Arguments: vm's folder, one of our own to work in.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandLine, compiledPaths, readModule, runModule } from '../src/compiled.ts';

/** What most commands do is in these, which make nothing. */
const COMMANDS = [['plan'], ['status', '--json'], ['doctor']];
/** What others need to begin with. */
const LOADED = ['up', 'halt', 'destroy', 'exec', 'ssh', 'sync', 'provision', 'run'];

const [packageDir = '', workDir = ''] = process.argv.slice(2);
Object.assign(process.env, { VM_HOME: join(workDir, 'home'), XDG_RUNTIME_DIR: join(workDir, 'run') });
mkdirSync(join(workDir, 'run'), { mode: 0o700 });
writeFileSync(join(workDir, 'Machinefile'), 'machines: { m: { box: tiny, provision: [{ shell: "true" }] } }\n');
process.chdir(workDir);

const { sourcePath, bytecodePath } = compiledPaths(packageDir);
const script = readModule(sourcePath);
type Compiled = CommandLine &
  Pick<typeof import('../src/cli/commands/index.ts'), 'loadCommands'> & {
    preloadSsh(): Promise<void>;
  };
const { runCli, loadCommands, preloadSsh } = runModule<Compiled>(script, sourcePath);
for (const command of COMMANDS) await runCli(command, packageDir);
await loadCommands(LOADED);
await preloadSsh();
writeFileSync(bytecodePath, script.createCachedData());
