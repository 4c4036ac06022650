/** One error of the validator that is compiled from the schema. Source: https://ajv.js.org/api.html#error-objects */
export interface ValidationError {
  /** The keyword of the schema that the value breaks. */
  readonly keyword: string;
  /** JSON pointer to the value. */
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** The key that is wrong, where it is not the value. */
  readonly propertyName?: string;
}

/** Gives whether the data are valid; if not, `errors` of the function says why. */
export interface Validate {
  (data: unknown): boolean;
  readonly errors?: readonly ValidationError[] | null;
}
