const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

const MILLISECONDS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};

/** Reads `512MiB`, `10GB`, or a number of MiB, as whole bytes; undefined if it is no size. */
export function parseSize(size: string | number): number | undefined {
  if (typeof size === 'number') return Math.round(size * 2 ** 20);
  const [whole, amount, unit = 'MiB'] = /^([0-9]+(?:\.[0-9]+)?)([A-Za-z]+)?$/.exec(size) ?? [];
  const factor = Object.hasOwn(BYTES, unit) ? BYTES[unit] : undefined;
  return whole === undefined || factor === undefined ? undefined : Math.round(Number(amount) * factor);
}

/** Writes bytes in the largest unit that needs no fraction, powers of two first: `2GiB`, `10GB`, `1000B`. */
export function formatSize(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'TB', 'GB', 'MB', 'KiB', 'KB']) {
    const amount = bytes / (BYTES[unit] ?? 1);
    if (amount >= 1 && Number.isInteger(amount)) return `${amount}${unit}`;
  }
  return `${bytes}B`;
}

/** Reads `500ms`, `2s`, `1h30m` as milliseconds; undefined if it is no duration. */
export function parseDuration(duration: string): number | undefined {
  if (!/^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$/.test(duration)) return undefined;
  const parts = duration.matchAll(/([0-9.]+)(ms|s|m|h|d)/g);
  return Math.round(
    [...parts].reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (MILLISECONDS[unit] ?? 0), 0),
  );
}

/** Writes milliseconds as `parseDuration` reads them: `5m`, `1m30s`, `0s`. */
export function formatDuration(durationMs: number): string {
  let rest = durationMs;
  let text = '';
  for (const [unit, unitMs] of Object.entries(MILLISECONDS)) {
    const amount = Math.floor(rest / unitMs);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * unitMs;
  }
  return text === '' ? '0s' : text;
}
