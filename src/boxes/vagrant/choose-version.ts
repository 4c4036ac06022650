import { VmError } from '../../errors.ts';
import type { Checksum } from '../../http/checksum.ts';
import type { Arch } from '../../machinefile/spec.ts';
import { type Constraint, compareVersions, satisfies } from '../../machinefile/versions.ts';
import { findDiskAdvice } from './box-metadata.ts';
import type { CatalogBox, CatalogVersion, VagrantCatalog } from './catalog.ts';

export interface BoxWish {
  readonly constraint: Constraint;
  /** Vagrant's names of providers, the preferred one first. */
  readonly providers: readonly string[];
  readonly arch: Arch;
}

/** One box to download. */
export interface ChosenBox {
  readonly version: string;
  readonly provider: string;
  /** As the catalog has it: may be relative. */
  readonly url: string;
  readonly checksum: Checksum | undefined;
  /** In Vagrant's words; absent where the catalog does not say. */
  readonly architecture: string | undefined;
}

const VAGRANT_ARCH: Readonly<Record<Arch, string>> = { x86_64: 'amd64', aarch64: 'arm64' };

const VERSIONS_SHOWN = 5;

/**
 * The box of the newest version within the constraint which has one for a provider and the architecture.
 * @throws VmError which says what there is instead.
 */
export function chooseVersion(catalog: VagrantCatalog, wish: BoxWish): ChosenBox {
  const candidates = newestFirst(catalog.versions.filter(({ version }) => satisfies(version, wish.constraint)));
  for (const { version, boxes } of candidates) {
    const box = findBox(boxes, wish);
    if (box === undefined) continue;
    const { provider, url, checksum, architecture } = box;
    return { version, provider, url, checksum, architecture };
  }
  throw candidates.length === 0 ? noVersion(catalog, wish) : noBox(catalog, candidates, wish);
}

/** Of equal versions the last in the document comes first: it is the one that Vagrant takes. */
function newestFirst(versions: readonly CatalogVersion[]): CatalogVersion[] {
  return [...versions].sort((a, b) => compareVersions(a.version, b.version)).reverse();
}

function findBox(boxes: readonly CatalogBox[], { providers, arch }: BoxWish): CatalogBox | undefined {
  return providers
    .map((provider) =>
      findForArch(
        boxes.filter((box) => box.provider === provider),
        arch,
      ),
    )
    .find((box) => box !== undefined);
}

/** Vagrant's `box_architecture = :auto`, for one provider's boxes. */
function findForArch(boxes: readonly CatalogBox[], arch: Arch): CatalogBox | undefined {
  const [sole] = boxes.length === 1 ? boxes : [];
  return (
    boxes.find((box) => box.architecture === VAGRANT_ARCH[arch]) ??
    boxes.find((box) => box.architecture === 'unknown' && box.isDefaultArchitecture === true) ??
    (sole?.architecture === undefined && sole?.isDefaultArchitecture === undefined ? sole : undefined)
  );
}

function noVersion(catalog: VagrantCatalog, { constraint }: BoxWish): VmError {
  const newest = newestFirst(catalog.versions).slice(0, VERSIONS_SHOWN);
  if (newest.length === 0) {
    return new VmError(`${catalog.name} has no versions`, { hint: 'choose another box' });
  }
  return new VmError(`${catalog.name} has no version ${constraint.text}`, {
    hint: `the newest there are: ${newest.map(({ version }) => version).join(', ')}`,
  });
}

function noBox({ name }: VagrantCatalog, candidates: readonly CatalogVersion[], wish: BoxWish): VmError {
  const subject = `${name} (${wish.constraint.text})`;
  const boxes = candidates.flatMap((candidate) => candidate.boxes);
  const usable = boxes.filter((box) => wish.providers.includes(box.provider));
  if (usable.length > 0) return wrongArchitectures(subject, usable, wish.arch);
  const wanted = wish.providers.join(' or ');
  const others = unique(boxes.map((box) => box.provider));
  if (others.length === 0) return new VmError(`${subject} has no boxes`, { hint: 'choose another version or box' });
  return new VmError(`${subject} has no box for ${wanted}, only for ${others.join(', ')}`, {
    hint: others.map(findDiskAdvice).find((advice) => advice !== undefined) ?? 'choose another version or box',
  });
}

function wrongArchitectures(subject: string, boxes: readonly CatalogBox[], arch: Arch): VmError {
  const others = unique(boxes.map((box) => box.architecture ?? 'an unnamed one'));
  return new VmError(`${subject} has no box for ${VAGRANT_ARCH[arch]} (${arch}), only for ${others.join(', ')}`, {
    hint: 'choose another version or box, or another `arch` for the machine, which may have to be emulated',
  });
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
