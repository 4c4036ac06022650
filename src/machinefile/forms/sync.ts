import type { MachineDocument } from '../schema.ts';
import type { Parsed } from './parsed.ts';

export type SyncDocument = NonNullable<NonNullable<MachineDocument>['sync']>[number];

/** One entry of `sync` as a mapping; the host's path is as written. */
export type SyncForm = Exclude<SyncDocument, string>;

export function parseSync(sync: SyncDocument): Parsed<SyncForm> {
  const form = typeof sync === 'string' ? parseShortForm(sync) : { value: sync };
  if ('value' in form && !form.value.guest.startsWith('/')) {
    return { mistake: `“${form.value.guest}” is not an absolute path in the guest (such as /srv/app)` };
  }
  return form;
}

function parseShortForm(text: string): Parsed<SyncForm> {
  const [host = '', guest = '', mode] = text.split(':');
  if (mode === undefined) return { value: { host, guest } };
  if (mode !== 'ro') return { mistake: `“${mode}” is not a mode (allowed: host:guest, host:guest:ro)` };
  return { mistake: 'rsync copies to the guest only, so “:ro” has no meaning here (remove it)' };
}
