import { build } from 'esbuild';
import { rootDir } from './paths.ts';

/** Bundles the fake guest: to load ssh2 file by file takes longer than all that most guests are asked for. */
export async function setup(): Promise<void> {
  await build({
    entryPoints: [`${rootDir}test/fixtures/bin/guest/fake-guest.js`],
    outfile: `${rootDir}dist/test/fake-guest.js`,
    bundle: true,
    minifyWhitespace: true,
    platform: 'node',
    format: 'esm',
    // ssh2 works without its native addons.
    external: ['cpu-features', '*.node'],
    banner: {
      js: `
        import { createRequire } from 'node:module';
        import { fileURLToPath } from 'node:url';
        const require = createRequire(import.meta.url);
        const __dirname = fileURLToPath(new URL('.', import.meta.url));
      `,
    },
  });
}
