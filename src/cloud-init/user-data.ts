import { VmError } from '../errors.ts';

/** Our part of the user data, in two strengths. */
export interface OwnConfig {
  /** Wins over what the user wrote. */
  readonly identity: object;
  /** Gives way to it. */
  readonly defaults: object;
}

/**
 * Of the parts that say something about the same key the first wins; mappings and lists are joined.
 * Source: cloud-init's reference, "Merging user-data sections".
 */
const MERGE_TYPE = 'dict(no_replace,recurse_list)+list(append)+str()';

const CLOUD_CONFIG = 'text/cloud-config';
const BOUNDARY = '==machinefile==';

/** What cloud-init takes a part for, by its first line. */
const CONTENT_TYPES: readonly (readonly [firstLine: string, contentType: string])[] = [
  ['#cloud-config', CLOUD_CONFIG],
  ['#!', 'text/x-shellscript'],
  ['#cloud-boothook', 'text/cloud-boothook'],
  ['#include', 'text/x-include-url'],
  ['## template: jinja', 'text/jinja2'],
];

/**
 * cloud-init's user data: ours, and the user's beside it so that both apply.
 * @throws VmError when the user's is of no kind that cloud-init knows.
 */
export function withUserData(userData: string | undefined, own: OwnConfig): string {
  if (userData === undefined) return cloudConfig({ ...own.identity, ...own.defaults });
  const parts = [
    part(CLOUD_CONFIG, cloudConfig(own.identity)),
    part(contentType(userData), userData),
    part(CLOUD_CONFIG, cloudConfig(own.defaults)),
  ];
  const head = ['MIME-Version: 1.0', `Content-Type: multipart/mixed; boundary="${BOUNDARY}"`, ''];
  return [...head, ...parts, `--${BOUNDARY}--`, ''].join('\n');
}

function cloudConfig(value: object): string {
  return `#cloud-config\n${JSON.stringify(value, undefined, 2)}\n`;
}

/** Base64, so that neither encodings nor line lengths matter on the way. */
function part(contentType: string, text: string): string {
  const lines =
    Buffer.from(text)
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  return [
    `--${BOUNDARY}`,
    `Content-Type: ${contentType}; charset="utf-8"`,
    'Content-Transfer-Encoding: base64',
    ...(contentType === CLOUD_CONFIG ? [`Merge-Type: ${MERGE_TYPE}`] : []),
    '',
    ...lines,
    '',
  ].join('\n');
}

function contentType(userData: string): string {
  const found = CONTENT_TYPES.find(([firstLine]) => userData.startsWith(firstLine));
  if (found === undefined) {
    const known = CONTENT_TYPES.map(([firstLine]) => firstLine).join(', ');
    throw new VmError(`cloud_init.user_data does not begin with a line that cloud-init knows (${known})`, {
      hint: 'a mapping of cloud-init modules begins with the line #cloud-config',
    });
  }
  return found[1];
}
