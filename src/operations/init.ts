import { join } from 'node:path';
import { UsageError } from '../errors.ts';
import { readTextIfExists, writeFileAtomic } from '../host/files.ts';
import { kindOfPath, listNames } from '../host/path-kind.ts';
import { MACHINEFILE_NAMES } from '../machinefile/find.ts';
import { parseBox } from '../machinefile/forms/box.ts';
import { isMistake } from '../machinefile/forms/parsed.ts';
import { alternatives } from '../machinefile/suggest.ts';

export interface InitInput {
  /** Where the Machinefile goes. */
  readonly dir: string;
  /** The folder of the templates that come with vm. */
  readonly templatesDir: string;
  readonly template: string;
  /** Instead of the template's own. */
  readonly box: string | undefined;
  /** Overwrite a Machinefile that is there. */
  readonly force: boolean;
}

export interface InitResult {
  /** The file written, absolute. */
  readonly path: string;
}

const TEMPLATE_SUFFIX = '.yaml';

/**
 * Writes a commented Machinefile.
 * @throws UsageError if there is one already and `force` is not given, or if template or box do not exist.
 */
export async function init({ dir, templatesDir, template, box, force }: InitInput): Promise<InitResult> {
  const text = await readTemplate(templatesDir, template);
  const existing = await findExisting(dir);
  if (existing !== undefined && !force) {
    throw new UsageError(`${existing} exists already`, { hint: 'edit it, or overwrite it with --force' });
  }
  const path = existing ?? join(dir, MACHINEFILE_NAMES[0]);
  await writeFileAtomic(path, box === undefined ? text : withBox(text, box), 0o644);
  return { path };
}

async function readTemplate(templatesDir: string, template: string): Promise<string> {
  const templates = await listTemplates(templatesDir);
  if (!templates.includes(template)) {
    throw new UsageError(`there is no template “${template}”${alternatives(template, templates)}`);
  }
  return (await readTextIfExists(join(templatesDir, `${template}${TEMPLATE_SUFFIX}`))) ?? '';
}

/** The names that `init` takes as template. */
export async function listTemplates(templatesDir: string): Promise<string[]> {
  const names = await listNames(templatesDir);
  return names.filter((name) => name.endsWith(TEMPLATE_SUFFIX)).map((name) => name.slice(0, -TEMPLATE_SUFFIX.length));
}

async function findExisting(dir: string): Promise<string | undefined> {
  const paths = MACHINEFILE_NAMES.map((name) => join(dir, name));
  const kinds = await Promise.all(paths.map(kindOfPath));
  return paths.find((_, index) => kinds[index] !== undefined);
}

/** Templates name their box once. */
function withBox(text: string, box: string): string {
  const parsed = parseBox(box);
  if (isMistake(parsed)) throw new UsageError(parsed.mistake);
  // A text in JSON's quotes is YAML, too.
  const value = /^[a-z./][\w@./-]*$/.test(box) ? box : JSON.stringify(box.replaceAll('$', '$$$$'));
  return text.replace(/^( *box: ).*$/m, (_, key: string) => `${key}${value}`);
}
