/**
 * All time of one Node process runs faster by one factor: its clocks (Date, performance) and every timer made with
 * setTimeout, setInterval or AbortSignal.timeout, those of libraries too. For tests only and no part of the product: it
 * is loaded before the program (`node --import fast-time.ts`), so the program that is tested is the one that is
 * shipped, and no timer can be forgotten. TOWLINE_TEST_TIME=FACTOR@MS says by how much and from which moment on
 * (milliseconds since 1970), so that a daemon started again and its CLI tell the same time.
 *
 * Not scaled, because it is work and not waiting: what the network, the disk and the host do, with all that runs on the
 * host (time limits of tasks, the heartbeat of a pull). So deadlines get shorter as seen from the work:
 * with factor 12 a login has to be done in 0.8 s and a quick command in 1.25 s. Larger factors need a fast machine.
 */
const TEST_TIME = /^(\d+(?:\.\d+)?)@(\d+)$/;

const { env, stderr } = process;
const [, factorText, startText] = TEST_TIME.exec(env['TOWLINE_TEST_TIME'] ?? '') ?? [];
if (factorText !== undefined && startText !== undefined) {
  hurry(Number(factorText), Number(startText));
  if (process.argv.includes('daemon'))
    stderr.write(`towline: for tests, time runs ${factorText} times faster\n`);
}

function hurry(factor: number, startMs: number): void {
  const real = {
    now: Date.now,
    performance: performance.now.bind(performance),
    setTimeout: globalThis.setTimeout,
    setInterval: globalThis.setInterval,
  };
  const now = (): number => Math.round(startMs + (real.now() - startMs) * factor);
  const RealDate = Date;
  globalThis.Date = new Proxy(RealDate, {
    construct: (_target, given: unknown[], made) =>
      Reflect.construct(RealDate, given.length === 0 ? [now()] : given, made) as object,
    apply: () => new RealDate(now()).toString(),
    get: (target, key) => (key === 'now' ? now : (Reflect.get(target, key) as unknown)),
  });
  performance.now = () => real.performance() * factor;
  const shorter = (ms: unknown): number => (typeof ms === 'number' ? ms / factor : 0);
  globalThis.setTimeout = hurried(real.setTimeout, shorter);
  globalThis.setInterval = hurried(real.setInterval, shorter);
  const { timeout } = AbortSignal;
  AbortSignal.timeout = (ms: number) => timeout.call(AbortSignal, Math.ceil(shorter(ms)));
}

type MakeTimer = (act: () => void, ms?: unknown, ...rest: unknown[]) => unknown;

/** Carries what hangs on the original too: util.promisify looks there. */
function hurried<F extends object>(original: F, shorter: (ms: unknown) => number): F {
  const make = original as unknown as MakeTimer;
  const replacement: MakeTimer = (act, ms, ...rest) => make(act, shorter(ms), ...rest);
  const carried = Object.getOwnPropertyDescriptors(original);
  return Object.defineProperties(replacement, carried) as unknown as F;
}
