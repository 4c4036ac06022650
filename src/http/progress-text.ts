export interface TransferProgressOptions {
  readonly report: (text: string) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

const REPORT_EVERY_MS = 200;
const RATE_OVER_MS = 5000;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Tells how far a transfer is, how fast of late, and how long it still takes; at most five times a second. */
export class TransferProgress {
  readonly #report: (text: string) => void;
  readonly #now: () => number;
  #samples: Sample[] = [];

  constructor({ report, now = () => performance.now() }: TransferProgressOptions) {
    this.#report = report;
    this.#now = now;
  }

  /** @param bytes what is there by now; less than before when the transfer started over. */
  update(bytes: number, totalBytes: number | undefined): void {
    const sample = { atMs: this.#now(), bytes };
    const last = this.#samples.at(-1);
    if (last !== undefined && bytes < last.bytes) this.#samples = [];
    else if (last !== undefined && sample.atMs - last.atMs < REPORT_EVERY_MS) return;
    this.#samples = this.#samples.filter(({ atMs }) => sample.atMs - atMs <= RATE_OVER_MS);
    this.#samples.push(sample);
    this.#report(describeTransfer({ bytes, totalBytes, bytesPerSecond: this.#rate(sample) }));
  }

  #rate(now: Sample): number | undefined {
    const [first] = this.#samples;
    if (first === undefined || first === now) return undefined;
    return ((now.bytes - first.bytes) * 1000) / (now.atMs - first.atMs);
  }
}

export interface Transfer {
  readonly bytes: number;
  readonly totalBytes: number | undefined;
  readonly bytesPerSecond: number | undefined;
}

/** `123 MiB of 400 MiB (31 %), 12.3 MiB/s, 23 s left`; what is not known is left out. */
export function describeTransfer({ bytes, totalBytes, bytesPerSecond }: Transfer): string {
  const parts = [describeAmount(bytes, totalBytes)];
  if (bytesPerSecond !== undefined) parts.push(`${inUnit(bytesPerSecond, 100)}/s`);
  if (bytesPerSecond && totalBytes !== undefined) {
    parts.push(`${describeSeconds(Math.max(totalBytes - bytes, 0) / bytesPerSecond)} left`);
  }
  return parts.join(', ');
}

/** A size for people: `31 MiB`, `1.4 GiB`. */
export function describeSize(bytes: number): string {
  return inUnit(bytes, 10);
}

function describeAmount(bytes: number, totalBytes: number | undefined): string {
  if (!totalBytes) return describeSize(bytes);
  return `${describeSize(bytes)} of ${describeSize(totalBytes)} (${Math.round((bytes / totalBytes) * 100)} %)`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** @param fractionBelow amounts below it get one digit after the point. */
function inUnit(bytes: number, fractionBelow: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${amount < fractionBelow && unit > 0 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[unit]}`;
}

function describeSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
