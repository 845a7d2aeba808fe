/** Sizes and durations as people write them. Also used by the command line for --memory and --time. */
import { type Parsed, shown } from './shown.ts';

const SIZE_UNITS: Record<string, number> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  kib: 2 ** 10,
  m: 2 ** 20,
  mib: 2 ** 20,
  g: 2 ** 30,
  gib: 2 ** 30,
  t: 2 ** 40,
  tib: 2 ** 40,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
};

/** Longest first: a duration names each unit at most once, in this order. */
const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;
const NUMBER = String.raw`(\d+(?:\.\d+)?)`;
const DURATION = new RegExp(
  `^${DURATION_UNITS.map(([unit]) => `(?:${NUMBER}${unit})?`).join('\\s*')}$`,
);
const CLOCK = /^(\d{1,4}):([0-5]\d):([0-5]\d)$/;

/** Bytes of `512 MiB`, `1.5G`, `100 MB` or `4096`; K, M, G, T count by 1024 as KiB … do, KB … by 1000. */
export function parseSize(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text);
  const unit = SIZE_UNITS[(match?.[2] ?? '-').toLowerCase()];
  if (match === null || unit === undefined) {
    return { problem: `${shown(text)} is not a size; write for example 512 MiB, 1.5G or 4096` };
  }
  const bytes = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) ? { value: bytes } : { problem: `${shown(text)} is too big` };
}

/** The shortest exact text of a number of bytes. */
export function formatSize(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const factor = SIZE_UNITS[unit.toLowerCase()] ?? 1;
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor} ${unit}`;
  }
  return String(bytes);
}

/** Milliseconds of `10s`, `5m`, `1h30m`, `7d`, `500ms` or `HH:MM:SS`. A number without a unit is refused. */
export function parseDuration(text: string): Parsed<number> {
  const clock = CLOCK.exec(text);
  const match = text === '' ? null : (clock ?? DURATION.exec(text));
  if (match === null) {
    const hint = /^\d+$/.test(text) ? `${text}s` : '10s, 5m, 1h30m or 7d';
    return { problem: `${shown(text)} is not a duration; write for example ${hint}` };
  }
  const factors =
    clock === null ? DURATION_UNITS.map(([, factor]) => factor) : [3_600_000, 60_000, 1_000];
  const parts = factors.map((factor, index) => Number(match[index + 1] ?? 0) * factor);
  const ms = Math.round(parts.reduce((sum, part) => sum + part, 0));
  return Number.isSafeInteger(ms) ? { value: ms } : { problem: `${shown(text)} is too long` };
}

/** The exact text of a number of milliseconds: 5400000 is `1h30m`. */
export function formatDuration(ms: number): string {
  let rest = ms;
  const parts = DURATION_UNITS.map(([unit, factor]) => {
    const count = Math.floor(rest / factor);
    rest -= count * factor;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return parts.join('') || '0s';
}
