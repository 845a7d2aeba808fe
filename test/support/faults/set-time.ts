/**
 * The clock of one Node process is set, as an administrator or NTP would: Date steps, timers and performance go on evenly.
 * For tests only and no part of the product: loaded before the program (`node --import set-time.ts`).
 * TOWLINE_TEST_CLOCK names a file that holds by how many milliseconds the clock is wrong; it may change at any time.
 */
import { readFileSync } from 'node:fs';

const file = process.env['TOWLINE_TEST_CLOCK'] ?? '';
if (file !== '') {
  const real = Date.now;
  const now = (): number => real() + Number(readFileSync(file, 'utf8'));
  const RealDate = Date;
  globalThis.Date = new Proxy(RealDate, {
    construct: (_target, given: unknown[], made) =>
      Reflect.construct(RealDate, given.length === 0 ? [now()] : given, made) as object,
    apply: () => new RealDate(now()).toString(),
    get: (target, key) => (key === 'now' ? now : (Reflect.get(target, key) as unknown)),
  });
}
