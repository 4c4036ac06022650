const UNITS: readonly { readonly suffix: string; readonly seconds: number }[] = [
  { suffix: 'd', seconds: 86_400 },
  { suffix: 'h', seconds: 3_600 },
  { suffix: 'm', seconds: 60 },
  { suffix: 's', seconds: 1 },
];

/** A duration by its two largest units: `3d 4h`, `5m 10s`, `8s`. */
export function formatUptime(ms: number): string {
  let seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = UNITS.map(({ suffix, seconds: size }) => {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    return { count, text: `${count}${suffix}` };
  });
  const first = parts.findIndex(({ count }) => count > 0);
  if (first < 0) return '0s';
  const shown = parts.slice(first, first + 2).filter(({ count }) => count > 0);
  return shown.map(({ text }) => text).join(' ');
}
