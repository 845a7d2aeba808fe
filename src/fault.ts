/**
 * Named fault points: places before and after every commit, remote act and durable local write where
 * a test can hold or kill the daemon. Off unless TOWLINE_FAULT is set: `name[:hit][:kill|hold|pause]`,
 * several by comma; hit counts from 1 (default 1), the act is kill by default. `hold` says so on
 * stderr and never goes on; `pause` goes on at SIGUSR2. TOWLINE_FAULT_TRACE=1 says every point that is
 * passed, so that a test can try them all. Some names are no points but pretences (isPretended). test/architecture/fault-points.test.ts tells who needs one.
 */

const ACTS = ['kill', 'hold', 'pause'] as const;

interface Armed {
  name: string;
  hit: number;
  act: (typeof ACTS)[number];
}

const armed = parseFaults(process.env['TOWLINE_FAULT'] ?? '');
const tracing = process.env['TOWLINE_FAULT_TRACE'] === '1';
const hits = new Map<string, number>();

/** Resolves at once unless a test armed this point. */
export function reach(name: string): Promise<void> {
  return armed.length === 0 && !tracing ? Promise.resolve() : reachArmed(name);
}

/** Whether a test wants something taken for so that it cannot make so, like another boot of this machine. */
export function isPretended(name: string): boolean {
  return armed.some((fault) => fault.name === name);
}

/** Does `act` between the points `name.before` and `name.after`; the latter is not passed when it fails. */
export async function between<T>(name: string, act: () => Promise<T>): Promise<T> {
  await reach(`${name}.before`);
  const result = await act();
  await reach(`${name}.after`);
  return result;
}

async function reachArmed(name: string): Promise<void> {
  const count = (hits.get(name) ?? 0) + 1;
  hits.set(name, count);
  if (tracing) process.stderr.write(`towline: fault point ${name} passed (${count})\n`);
  const fault = armed.find((candidate) => candidate.name === name && candidate.hit === count);
  if (fault === undefined) return;
  const goOn = new Promise<void>((resolve) => {
    if (fault.act === 'pause') process.once('SIGUSR2', () => resolve());
  });
  process.stderr.write(`towline: fault point ${name} reached (${fault.act})\n`);
  if (fault.act === 'kill') process.kill(process.pid, 'SIGKILL');
  await goOn;
}

function parseFaults(text: string): Armed[] {
  return text
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', ...rest] = part.split(':');
      const act = ACTS.find((word) => rest.includes(word)) ?? 'kill';
      const hit = Number(rest.find((word) => /^\d+$/.test(word)) ?? 1);
      return { name, hit, act };
    });
}
