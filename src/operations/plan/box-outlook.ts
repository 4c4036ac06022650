import { join } from 'node:path';
import type { Box } from '../../boxes/box.ts';
import { ImportMemory } from '../../boxes/importing/import-memory.ts';
import { findKnownFile } from '../../boxes/importing/known-file.ts';
import { placeOf } from '../../machinefile/forms/box.ts';
import { type LockedBoxes, lockKey } from '../../machinefile/lockfile.ts';
import type { BoxReference } from '../../machinefile/spec.ts';
import type { Services } from '../services.ts';

/** Where the box that a Machinefile means would come from, as far as that is known without a network. */
export type BoxOutlook =
  | { readonly kind: 'here'; readonly box: Box }
  /** It is not in the store, and would be got in this way. */
  | {
      readonly kind: 'absent';
      readonly name: string;
      readonly by: 'build' | 'download' | 'import';
      /** For people: a path, an address, a recipe. */
      readonly from: string;
    }
  /** Nothing here says which box it means: it is not in the lockfile. */
  | { readonly kind: 'unlocked'; readonly name: string; readonly by: 'download'; readonly from: string }
  /** No box is called so. */
  | { readonly kind: 'nowhere'; readonly name: string };

interface LookUp {
  readonly projectDir: string;
  readonly locked: LockedBoxes;
  readonly services: Services;
}

/** Looks boxes up in the store, each once, as `BoxChoice` does; gets none, and reads no image. */
export class BoxOutlooks {
  readonly #lookUp: LookUp;
  readonly #known = new Map<string, Promise<BoxOutlook>>();

  constructor(lookUp: LookUp) {
    this.#lookUp = lookUp;
  }

  of(reference: BoxReference): Promise<BoxOutlook> {
    const id = JSON.stringify(reference);
    const known = this.#known.get(id) ?? outlookOf(reference, this.#lookUp);
    this.#known.set(id, known);
    return known;
  }
}

async function outlookOf(reference: BoxReference, lookUp: LookUp): Promise<BoxOutlook> {
  const box = await findHere(reference, lookUp);
  if (box !== undefined) return { kind: 'here', box };
  if (reference.kind === 'name') return outlookOfName(reference.name, lookUp.services);
  const name = placeOf(reference);
  if (reference.kind === 'path') return { kind: 'absent', name, by: 'import', from: reference.path };
  const kind = lockedOf(reference, lookUp) === undefined ? 'unlocked' : 'absent';
  return { kind, name, by: 'download', from: name };
}

function lockedOf(reference: BoxReference, { projectDir, locked }: LookUp) {
  return locked.get(lockKey(reference, projectDir));
}

async function findHere(reference: BoxReference, lookUp: LookUp): Promise<Box | undefined> {
  const { boxes: store, dirs } = lookUp.services;
  if (reference.kind === 'path') {
    const memory = new ImportMemory(join(dirs.homeDir, 'imports'));
    const { path, checksum } = reference;
    return findKnownFile({ path, checksum, called: undefined }, { memory, store });
  }
  const name = reference.kind === 'name' ? reference.name : undefined;
  const locked = lockedOf(reference, lookUp);
  if (locked !== undefined) return store.findByDigest(locked.sha256, name);
  return reference.kind === 'name' ? store.find(reference.name, reference.version) : undefined;
}

/** Loads what reads recipes and catalogs: most boxes are here. */
async function outlookOfName(name: string, services: Services): Promise<BoxOutlook> {
  const { findLikelySources } = await import('../box-names.ts');
  const [source] = await findLikelySources(name, services);
  switch (source?.kind) {
    case 'recipe':
      return { kind: 'absent', name, by: 'build', from: `the recipe ${name}` };
    case 'catalog':
      return { kind: 'absent', name, by: 'download', from: source.path };
    case 'server':
      return { kind: 'absent', name, by: 'download', from: source.server };
    case undefined:
      return { kind: 'nowhere', name };
  }
}
