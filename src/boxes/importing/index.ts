/** What brings other people's boxes into the store, in one piece: it is loaded when there is one to bring. */
export { importOci } from './import-oci.ts';
export { importPath } from './import-path.ts';
export { importUrl } from './import-url.ts';
