const NULL = /^(~|null|Null|NULL)?$/;
const BOOLEAN = /^(true|True|TRUE|false|False|FALSE)$/;
const DECIMAL = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const OCTAL_OR_HEX = /^0(o[0-7]+|x[0-9a-fA-F]+)$/;

/** What a plain (unquoted) scalar means by the core schema of YAML 1.2. Source: https://yaml.org/spec/1.2.2/#1032-tag-resolution */
export function typePlainScalar(text: string): string | number | boolean | null {
  if (NULL.test(text)) return null;
  if (BOOLEAN.test(text)) return text.toLowerCase() === 'true';
  return DECIMAL.test(text) || OCTAL_OR_HEX.test(text) ? Number(text) : text;
}
