/**
 * Named fault points: places before and after every commit and remote act where a test can hold or
 * kill the daemon. Off unless TOWLINE_FAULT is set: `name[:hit][:kill|hold]`, several by comma;
 * hit counts from 1 (default 1), the act is kill by default. `hold` says so on stderr and never goes on.
 * TOWLINE_FAULT_TRACE=1 says every point that is passed, so that a test can tell whether it tries all.
 */

interface Armed {
  name: string;
  hit: number;
  act: 'kill' | 'hold';
}

const armed = parseFaults(process.env['TOWLINE_FAULT'] ?? '');
const tracing = process.env['TOWLINE_FAULT_TRACE'] === '1';
const hits = new Map<string, number>();

/** Resolves at once unless a test armed this point. */
export function reach(name: string): Promise<void> {
  return armed.length === 0 && !tracing ? Promise.resolve() : reachArmed(name);
}

async function reachArmed(name: string): Promise<void> {
  const count = (hits.get(name) ?? 0) + 1;
  hits.set(name, count);
  if (tracing) process.stderr.write(`towline: fault point ${name} passed (${count})\n`);
  const fault = armed.find((candidate) => candidate.name === name && candidate.hit === count);
  if (fault === undefined) return;
  process.stderr.write(`towline: fault point ${name} reached (${fault.act})\n`);
  if (fault.act === 'kill') process.kill(process.pid, 'SIGKILL');
  await new Promise(() => {});
}

function parseFaults(text: string): Armed[] {
  return text
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', ...rest] = part.split(':');
      const act = rest.includes('hold') ? 'hold' : 'kill';
      const hit = Number(rest.find((word) => /^\d+$/.test(word)) ?? 1);
      return { name, hit, act };
    });
}
