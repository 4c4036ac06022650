import type { Box } from '../boxes/box.ts';
import { contentVersion } from '../boxes/importing/content-version.ts';
import { sourceAt } from '../boxes/importing/source-text.ts';
import { StateError } from '../errors.ts';
import { placeOf } from '../machinefile/forms/box.ts';
import { type LockedBox, type LockedBoxes, lockKey, readLockfile, writeLockfile } from '../machinefile/lockfile.ts';
import { parseReference } from '../machinefile/oci-reference.ts';
import type { BoxReference } from '../machinefile/spec.ts';
import { parseConstraint } from '../machinefile/versions.ts';
import { ensureBox, renewBox } from './box-sources.ts';
import type { Services } from './services.ts';

/**
 * What may become of the lockfile: `write` what it does not have yet; `refuse` to, as CI wants it; `keep` it as it is,
 * for commands that only look.
 */
export type LockMode = 'write' | 'refuse' | 'keep';

/** The boxes that are meant, as the lockfile has them; each is found, or made, once. */
export class BoxChoice {
  readonly #projectDir: string;
  readonly #services: Services;
  readonly #locked: LockedBoxes;
  /** What is to be locked, or locked anew. */
  readonly #news = new Map<string, LockedBox>();
  /** By the whole reference: two may have the same key and different checksums. */
  readonly #chosen = new Map<string, Box>();

  private constructor(projectDir: string, locked: LockedBoxes, services: Services) {
    this.#projectDir = projectDir;
    this.#locked = locked;
    this.#services = services;
  }

  /** @throws StateError if the lockfile cannot be used. */
  static async open(projectDir: string, services: Services): Promise<BoxChoice> {
    return new BoxChoice(projectDir, await readLockfile(projectDir), services);
  }

  /** @throws VmError if there is no such box; StateError if it is not the one that was locked. */
  async choose(reference: BoxReference): Promise<Box> {
    const id = JSON.stringify(reference);
    const known = this.#chosen.get(id);
    if (known !== undefined) return known;
    const key = lockKey(reference, this.#projectDir);
    const locked = this.#news.get(key) ?? this.#locked.get(key);
    const box = await this.#find(reference, locked);
    if (locked === undefined) {
      this.#lock(key, reference, box);
    } else if (locked.sha256 !== box.digest) {
      throw wrongBox(key, locked, box);
    }
    this.#chosen.set(id, box);
    return box;
  }

  /**
   * Takes the newest box instead of the locked one.
   * @returns what was locked before.
   */
  async renew(reference: BoxReference): Promise<{ readonly before: LockedBox | undefined; readonly box: Box }> {
    const key = lockKey(reference, this.#projectDir);
    const before = this.#locked.get(key);
    const box = await renewBox(reference, this.#services);
    this.#lock(key, reference, box);
    return { before, box };
  }

  #lock(key: string, reference: BoxReference, { version, source, digest: sha256 }: Box): void {
    const locked = { version, source: reference.kind === 'path' ? `imported from ${key}` : source, sha256 };
    if (JSON.stringify(locked) !== JSON.stringify(this.#locked.get(key))) this.#news.set(key, locked);
  }

  /** @throws StateError in the mode `refuse`, if the lockfile does not have every box that was chosen. */
  async close(mode: LockMode): Promise<void> {
    if (this.#news.size === 0 || mode === 'keep') return;
    if (mode === 'refuse') {
      const missing = [...this.#news.keys()].join(', ');
      throw new StateError(`Machinefile.lock does not have every box that is asked for: ${missing}`, {
        hint: 'run vm up, or vm box update, without --locked, and commit Machinefile.lock',
      });
    }
    // Read again: meanwhile another command may have locked other boxes.
    await writeLockfile(this.#projectDir, new Map([...(await readLockfile(this.#projectDir)), ...this.#news]));
  }

  async #find(reference: BoxReference, locked: LockedBox | undefined): Promise<Box> {
    const { boxes } = this.#services;
    // What a path holds is looked at each time; names and addresses mean what was locked.
    if (locked === undefined || reference.kind === 'path') return ensureBox(reference, this.#services);
    checkStillWanted(reference, locked);
    const name = reference.kind === 'name' ? reference.name : undefined;
    const inStore = await boxes.findByDigest(locked.sha256, name);
    if (inStore !== undefined) return inStore;
    if (reference.kind === 'oci') return ensureBox(byDigest(reference, locked), this.#services);
    const version = isChosenByVersion(reference, locked) ? parseConstraint(locked.version) : undefined;
    return ensureBox(version === undefined ? reference : { ...reference, version }, this.#services);
  }
}

/** Whether there are several, of which the version tells one; what has none is called by its content. */
function isChosenByVersion(reference: Extract<BoxReference, { kind: 'name' | 'url' }>, locked: LockedBox): boolean {
  if (locked.version === contentVersion(locked.sha256)) return false;
  return reference.kind === 'name' || !isPlainFile(reference, locked);
}

/** Whether what is at the URL is the box itself, not a catalog that names it. */
function isPlainFile({ url }: Extract<BoxReference, { kind: 'url' }>, { source }: LockedBox): boolean {
  return source === sourceAt(url);
}

/** @throws StateError if the Machinefile wants another file by now than the one that was locked. */
function checkStillWanted(reference: BoxReference, locked: LockedBox): void {
  if (reference.kind !== 'url' || !isPlainFile(reference, locked)) return;
  const { checksum } = reference;
  if (checksum === undefined || 'listedAt' in checksum || checksum.algorithm !== 'sha256') return;
  if (checksum.hex === locked.sha256) return;
  throw new StateError(
    `the checksum of ${placeOf(reference)} is not that of the box in Machinefile.lock:\n  wanted sha256:${checksum.hex}\n  locked sha256:${locked.sha256}`,
    { hint: `if the new one is wanted: vm box update ${placeOf(reference)}` },
  );
}

/** The manifest that was locked, whatever its tag means by now. */
function byDigest(reference: Extract<BoxReference, { kind: 'oci' }>, { sha256 }: LockedBox): BoxReference {
  const { registry, repository } = parseReference(reference.reference);
  return { ...reference, reference: `${registry}/${repository}@sha256:${sha256}` };
}

function wrongBox(key: string, locked: LockedBox, { version, digest }: Box): StateError {
  return new StateError(
    `the box ${key} is not the one in Machinefile.lock:\n  locked ${locked.version} sha256:${locked.sha256}\n  found  ${version} sha256:${digest}`,
    { hint: `if the new one is wanted: vm box update ${key}` },
  );
}
