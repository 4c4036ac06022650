/**
 * The files of the disks in an OVF descriptor (DSP0243), in the order in which the machine has them, or else in which
 * they are listed; not the files of CDs and the like.
 */
export function ovfDiskFiles(text: string): string[] {
  const files = new Map(elements(text, 'File').map((file) => [attribute(file, 'id'), attribute(file, 'href')]));
  const places = new Map(attachedDiskIds(text).map((id, place) => [id, place]));
  return elements(text, 'Disk')
    .map((disk) => ({
      file: files.get(attribute(disk, 'fileRef')),
      place: places.get(attribute(disk, 'diskId') ?? '') ?? places.size,
    }))
    .sort((a, b) => a.place - b.place)
    .flatMap(({ file }) => file ?? []);
}

/** How many machines an OVF descriptor describes: more than one in a `VirtualSystemCollection`. */
export function countOvfMachines(text: string): number {
  return elements(text, 'VirtualSystem').length;
}

interface AttachedDisk {
  readonly diskId: string;
  /** On its controller. */
  readonly place: number;
}

/** The end of one piece of a machine's hardware; since OVF 2.0 storage has an element of its own. */
const ITEM_END = /<\/(?:[\w.-]+:)?(?:Storage)?Item\s*>/;

/** The ids of the disks that a machine has: by controller, and on each by their place. */
function attachedDiskIds(text: string): string[] {
  const byController = new Map<string, AttachedDisk[]>();
  for (const item of text.split(ITEM_END)) {
    const [, diskId] = /\/disk\/([^/]+)$/.exec(content(item, 'HostResource') ?? '') ?? [];
    if (diskId === undefined) continue;
    const controller = content(item, 'Parent') ?? '';
    const attached = byController.get(controller) ?? [];
    attached.push({ diskId, place: Number(content(item, 'AddressOnParent') ?? 0) });
    byController.set(controller, attached);
  }
  return [...byController.values()].flatMap((attached) =>
    attached.sort((a, b) => a.place - b.place).map(({ diskId }) => diskId),
  );
}

/** The start tags of an element, whatever the prefix of its namespace. None reaches over the `<` of the next. */
function elements(text: string, name: string): string[] {
  return text.match(new RegExp(`<(?:[\\w.-]+:)?${name}\\s[^<>]*>`, 'g')) ?? [];
}

/** The text in the first element of this name. */
function content(text: string, name: string): string | undefined {
  return new RegExp(`<(?:[\\w.-]+:)?${name}(?:\\s[^<>]*)?>([^<]*)<`).exec(text)?.[1]?.trim();
}

function attribute(tag: string, name: string): string | undefined {
  const [, value] = new RegExp(`\\s(?:[\\w.-]+:)?${name}\\s*=\\s*["']([^"']*)["']`).exec(tag) ?? [];
  return value?.replace(/&(amp|lt|gt|quot|apos);/g, (_whole, entity: string) => ENTITIES[entity] ?? '');
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
