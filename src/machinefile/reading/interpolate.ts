/** Gives a variable's value; undefined if it is not set. */
export type VariableLookup = (name: string) => string | undefined;

export interface Interpolated {
  readonly text: string;
  readonly issues: readonly InterpolationIssue[];
}

export interface InterpolationIssue {
  /** A warning where the value goes on as if the variable was empty. */
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** The expression, as it stands in the text: `${DB_HOST}`. */
  readonly expression: string;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;
const OPERATOR = /^:?[-?+]/;

/**
 * Replaces variables as Compose does: `$VAR`, `${VAR}`, `${VAR:-default}`, `${VAR:?message}`, `${VAR:+other}`, each
 * without the colon too (then an empty value counts as set), nested; `$$` is one dollar sign.
 * Source: https://docs.docker.com/reference/compose-file/interpolation/
 */
export function interpolate(text: string, lookup: VariableLookup): Interpolated {
  const issues: InterpolationIssue[] = [];
  let result = '';
  let rest = text;
  while (rest !== '') {
    const dollar = rest.indexOf('$');
    if (dollar < 0) return { text: result + rest, issues };
    result += rest.slice(0, dollar);
    const replaced = replaceFirst(rest.slice(dollar), lookup);
    result += replaced.text;
    issues.push(...replaced.issues);
    rest = rest.slice(dollar + replaced.length);
  }
  return { text: result, issues };
}

/** The opposite: a text in which nothing is replaced but its dollar signs, by themselves. */
export function literal<T extends string | undefined>(text: T): T {
  return text?.replaceAll('$', '$$$$') as T; // undefined stays undefined
}

interface Replaced extends Interpolated {
  /** How much of the text the expression takes. */
  readonly length: number;
}

/** @param text begins with a dollar sign */
function replaceFirst(text: string, lookup: VariableLookup): Replaced {
  if (text.startsWith('$$')) return { text: '$', length: 2, issues: [] };
  if (text.startsWith('${')) return replaceBraced(text, lookup);
  const name = NAME.exec(text.slice(1))?.[0];
  if (name === undefined) return failed('$', 'a lone “$” is not a variable (write “$$” for a dollar sign)');
  return { ...lookUp(name, `$${name}`, lookup), length: 1 + name.length };
}

function replaceBraced(text: string, lookup: VariableLookup): Replaced {
  const end = findClosingBrace(text);
  if (end === undefined) return failed(text, `“\${” has no closing “}” (write “$$” for a dollar sign)`);
  const expression = text.slice(0, end + 1);
  const inner = expression.slice(2, -1);
  const name = NAME.exec(inner)?.[0];
  const operation = name === undefined ? '' : inner.slice(name.length);
  const operator = OPERATOR.exec(operation)?.[0];
  if (name === undefined || (operation !== '' && operator === undefined)) {
    return failed(
      expression,
      `“${expression}” is not a variable (allowed: \${NAME}, \${NAME:-default}, \${NAME:?message}, \${NAME:+other}; “$$” for a dollar sign)`,
    );
  }
  if (operator === undefined) return { ...lookUp(name, expression, lookup), length: expression.length };
  const operand = operation.slice(operator.length);
  return { ...operate({ name, operator, operand, expression }, lookup), length: expression.length };
}

interface Operation {
  readonly name: string;
  readonly operator: string;
  readonly operand: string;
  readonly expression: string;
}

function operate({ name, operator, operand, expression }: Operation, lookup: VariableLookup): Interpolated {
  const value = lookup(name);
  const isSet = value !== undefined && !(operator.startsWith(':') && value === '');
  if (operator.endsWith('+')) return isSet ? interpolate(operand, lookup) : { text: '', issues: [] };
  if (isSet) return { text: value, issues: [] };
  const replacement = interpolate(operand, lookup);
  if (operator.endsWith('-')) return replacement;
  const reason = replacement.text === '' ? '' : `: ${replacement.text}`;
  const message = `variable “${name}” is not set${operator.startsWith(':') ? ' or empty' : ''}${reason}`;
  return { text: '', issues: [{ severity: 'error', message, expression }] };
}

function lookUp(name: string, expression: string, lookup: VariableLookup): Interpolated {
  const value = lookup(name);
  if (value !== undefined) return { text: value, issues: [] };
  const message = `variable “${name}” is not set, so it is empty here (give it a value, or a default: \${${name}:-default})`;
  return { text: '', issues: [{ severity: 'warning', message, expression }] };
}

function failed(expression: string, message: string): Replaced {
  return { text: '', length: expression.length, issues: [{ severity: 'error', message, expression }] };
}

/** The brace that ends the expression at the start of the text, passing over those nested in it. */
function findClosingBrace(text: string): number | undefined {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    if (text.startsWith('$$', index)) index++;
    else if (text.startsWith('${', index)) depth++;
    else if (text[index] === '}' && --depth === 0) return index;
  }
  return undefined;
}
