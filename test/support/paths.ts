import { fileURLToPath } from 'node:url';

/** The project's root, with a slash at its end. */
export const rootDir = fileURLToPath(new URL('../..', import.meta.url));

/** The built binary. */
export const vmPath = `${rootDir}dist/main.cjs`;

/** VM_HOME of the tests on real guests: kept between runs, so that boxes are built once. */
export const testHomeDir = `${rootDir}.test-home`;
