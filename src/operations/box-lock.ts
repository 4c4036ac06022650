import type { Box } from '../boxes/box.ts';
import { StateError } from '../errors.ts';
import { type LockedBox, lockKey, readLockfile, writeLockfile } from '../machinefile/lockfile.ts';
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
  readonly #locked: Map<string, LockedBox>;
  readonly #chosen = new Map<string, Box>();
  #hasNews = false;

  private constructor(projectDir: string, locked: Map<string, LockedBox>, services: Services) {
    this.#projectDir = projectDir;
    this.#locked = locked;
    this.#services = services;
  }

  /** @throws StateError if the lockfile cannot be used. */
  static async open(projectDir: string, services: Services): Promise<BoxChoice> {
    return new BoxChoice(projectDir, new Map(await readLockfile(projectDir)), services);
  }

  /** @throws VmError if there is no such box; StateError if it is not the one that was locked. */
  async choose(reference: BoxReference): Promise<Box> {
    const key = lockKey(reference, this.#projectDir);
    const known = this.#chosen.get(key);
    if (known !== undefined) return known;
    const locked = this.#locked.get(key);
    const box = await this.#find(reference, locked);
    if (locked === undefined) {
      this.#lock(key, reference, box);
    } else if (locked.sha256 !== box.digest) {
      throw wrongBox(key, locked, box);
    }
    this.#chosen.set(key, box);
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
    if (JSON.stringify(locked) !== JSON.stringify(this.#locked.get(key))) this.#hasNews = true;
    this.#locked.set(key, locked);
  }

  /** @throws StateError in the mode `refuse`, if the lockfile does not have every box that was chosen. */
  async close(mode: LockMode): Promise<void> {
    if (!this.#hasNews || mode === 'keep') return;
    if (mode === 'refuse') {
      const missing = [...this.#chosen.keys()].join(', ');
      throw new StateError(`Machinefile.lock does not have every box that is asked for: ${missing}`, {
        hint: 'run vm up, or vm box update, without --locked, and commit Machinefile.lock',
      });
    }
    await writeLockfile(this.#projectDir, this.#locked);
  }

  async #find(reference: BoxReference, locked: LockedBox | undefined): Promise<Box> {
    const { boxes } = this.#services;
    // What a path holds is looked at each time; names and addresses mean what was locked.
    if (locked === undefined || reference.kind === 'path') return ensureBox(reference, this.#services);
    const inStore = await boxes.findByDigest(locked.sha256);
    if (inStore !== undefined) return inStore;
    if (reference.kind === 'oci') return ensureBox(byDigest(reference, locked), this.#services);
    const version = reference.kind === 'name' ? parseConstraint(locked.version) : undefined;
    return ensureBox(version === undefined ? reference : { ...reference, version }, this.#services);
  }
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
