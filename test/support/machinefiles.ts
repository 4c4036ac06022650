/** One small machine called `m`, with further settings of it as YAML flow entries. */
export function oneTiny(settings = ''): string {
  return `machines: { m: { box: tiny, memory: 256MiB${settings === '' ? '' : `, ${settings}`} } }\n`;
}

/** Small machines with these names. */
export function tinies(...names: string[]): string {
  return `defaults: { box: tiny, memory: 256MiB }\nmachines: { ${names.map((name) => `${name}: {}`).join(', ')} }\n`;
}
