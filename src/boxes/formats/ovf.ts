/**
 * The files of the disks in an OVF descriptor (DSP0243), in the order in which it lists the disks; not the files of
 * CDs and the like.
 */
export function ovfDiskFiles(text: string): string[] {
  const files = new Map(elements(text, 'File').map((file) => [attribute(file, 'id'), attribute(file, 'href')]));
  return elements(text, 'Disk').flatMap((disk) => files.get(attribute(disk, 'fileRef')) ?? []);
}

/** The start tags of an element, whatever the prefix of its namespace. None reaches over the `<` of the next. */
function elements(text: string, name: string): string[] {
  return text.match(new RegExp(`<(?:[\\w.-]+:)?${name}\\s[^<>]*>`, 'g')) ?? [];
}

function attribute(tag: string, name: string): string | undefined {
  const [, value] = new RegExp(`\\s(?:[\\w.-]+:)?${name}\\s*=\\s*["']([^"']*)["']`).exec(tag) ?? [];
  return value?.replace(/&(amp|lt|gt|quot|apos);/g, (_whole, entity: string) => ENTITIES[entity] ?? '');
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
