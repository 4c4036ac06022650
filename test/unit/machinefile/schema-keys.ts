interface SchemaPart {
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaPart>>;
  readonly additionalProperties?: SchemaPart | boolean;
  readonly items?: SchemaPart;
}

export interface SchemaKey {
  /** From the top, as `machines.*.ports.*.guest`. */
  readonly path: string;
  readonly schema: SchemaPart;
}

/** Every key that a schema names. */
export function schemaKeys(schema: SchemaPart, prefix = ''): SchemaKey[] {
  const { properties = {}, additionalProperties, items } = schema;
  const named = Object.entries(properties).flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    return [{ path, schema: value }, ...schemaKeys(value, `${path}.`)];
  });
  const others = [items, additionalProperties].filter((part) => typeof part === 'object');
  return [...named, ...others.flatMap((part) => schemaKeys(part, `${prefix}*.`))];
}
