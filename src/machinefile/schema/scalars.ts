/**
 * The kinds of values that several keys share. `title` completes the sentence "must be …" in an error; `examples` follow it.
 *
 * A value that may be written in several ways has several `type`s instead of `anyOf`: keywords for texts pass over
 * mappings and the other way round, so every error speaks of the form that was used, in our messages and in editors.
 */

export const size = {
  type: ['string', 'integer'],
  title: 'a size',
  description: 'A size with a unit (B, KB, KiB, MB, MiB, GB, GiB, TB, TiB). A plain number is MiB.',
  examples: ['512MiB', '2GiB', '10GB', 1024],
  pattern: '^[0-9]+(\\.[0-9]+)?(B|[KMGT]i?B)?$',
  minimum: 1,
} as const;

export const duration = {
  type: 'string',
  title: 'a duration with its unit',
  description: 'A time with its unit: ms, s, m, h, d, or several together.',
  examples: ['500ms', '2s', '5m', '1h30m'],
  pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$',
} as const;

export const portNumber = {
  type: 'integer',
  title: 'a port number from 1 to 65535',
  description: 'A port number.',
  minimum: 1,
  maximum: 65535,
} as const;

export const text = { type: 'string', title: 'a text', minLength: 1 } as const;

export const textList = { type: 'array', title: 'a list of texts', items: text } as const;

/** Arguments of a command: numbers are taken as they are written, so that 1.10 stays 1.10. */
export const argumentList = {
  type: 'array',
  title: 'a list of arguments',
  items: { type: ['string', 'number', 'boolean'], title: 'a text or a number' },
} as const;

export const yesOrNo = { type: 'boolean', title: 'true or false' } as const;

export const variables = {
  type: 'object',
  title: 'a mapping of names to values',
  description: 'Variables. Values are taken as they are written: 1.10 stays 1.10, and yes stays yes.',
  examples: ['{ LOG_LEVEL: debug }'],
  propertyNames: {
    title: 'a variable name',
    description: 'letters, digits and _, not beginning with a digit',
    pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
  },
  additionalProperties: {
    type: ['string', 'number', 'boolean'],
    title: 'a text or a number on one line',
    pattern: '^[^\\n\\r\\u0000]*$',
  },
} as const;

export const hostPath = {
  type: 'string',
  title: 'a path',
  description: 'A path on the host, relative to the file that has it. ~ is the home folder.',
  examples: ['./files/app.conf'],
  minLength: 1,
} as const;

export const sha256 = {
  type: 'string',
  title: 'a SHA-256 checksum',
  description: 'The SHA-256 of the content.',
  examples: [`sha256:${'0123456789abcdef'.repeat(4)}`],
  pattern: '^sha256:[0-9a-fA-F]{64}$',
} as const;

export const checksum = {
  type: 'string',
  title: 'a checksum, sha256: or sha512: with hex digits, or the URL of a list of them',
  examples: [`sha256:${'0123456789abcdef'.repeat(4)}`, 'https://example.org/SHA512SUMS'],
  pattern: '^(sha256:[0-9a-fA-F]{64}|sha512:[0-9a-fA-F]{128}|https?://[^\\s/]+.*)$',
} as const;

export const httpUrl = {
  type: 'string',
  title: 'an http:// or https:// address',
  examples: ['https://example.org/setup.sh'],
  pattern: '^https?://[^\\s/]+',
} as const;

export const ipv4 = {
  type: 'string',
  title: 'an IPv4 address',
  examples: ['127.0.0.1', '0.0.0.0'],
  pattern: '^((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$',
} as const;

/** Which texts are addresses, and which address they mean, is checked by `rules/networks.ts`. */
export const ipv6 = {
  type: 'string',
  title: 'an IPv6 address',
  examples: ['fd00:10::12'],
  pattern: '^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$',
} as const;

/** Names that become host names: RFC 1123. */
export const machineName = {
  type: 'string',
  title: 'a machine name',
  description: 'lower-case letters, digits and -, beginning and ending with a letter or digit, at most 63 characters',
  examples: ['web', 'db-1'],
  pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
} as const;

export const resourceName = {
  type: 'string',
  title: 'a name',
  description: 'lower-case letters, digits, _ and -, beginning with a letter or digit, at most 63 characters',
  examples: ['backend'],
  pattern: '^[a-z0-9][a-z0-9_-]{0,62}$',
} as const;
