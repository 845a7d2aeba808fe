/**
 * Judges a run from what was seen of it from outside: the ledger of the payloads, bytes, files, processes. Pure:
 * what was seen is collected by evidence.ts. Knows nothing of how Towline works, only of what it promises.
 */
import { allowed, type Outcome } from './allowed.ts';
import type { Kind, Plan } from './plan.ts';

/** One attempt as it ended, with the faults that could have hit it. */
export interface SeenAttempt {
  token: string;
  task: number;
  faults: ReadonlySet<Kind>;
  outcome: Omit<Outcome, 'starts'>;
}

export interface Evidence {
  /** The id of each planned task, in order; undefined: the daemon never took it. */
  ids: (string | undefined)[];
  /** All ids that the daemon lists in the end. */
  listed: string[];
  attempts: SeenAttempt[];
  /** Tokens of attempts that have not ended. */
  open: string[];
  /** Lines of the ledger: `token pid`. */
  ledger: string[];
  /** Tasks that had not come to rest in time, each with where it stands and why. */
  unsettled: string[];
  /** Where planted secrets were found: "name in place". */
  leaks: string[];
  /** Processes, mounts and files that nobody owns any more. */
  leftovers: string[];
  /** What the daemon did that it must never do: it died by itself, told of a bug. */
  daemon: string[];
}

export interface Violation {
  kind: 'lost' | 'strange' | 'attempt' | 'ledger' | 'unsettled' | 'leak' | 'leftover' | 'daemon';
  what: string;
}

/** Gives all that is wrong with a run. */
export function judgeRun(plan: Plan, evidence: Evidence): Violation[] {
  const all = (kind: Violation['kind'], lines: string[]): Violation[] =>
    lines.map((what) => ({ kind, what }));
  return [
    ...judgeTasks(plan, evidence),
    ...judgeLedger(evidence),
    ...evidence.attempts.flatMap((attempt) => judgeAttempt(evidence, attempt)),
    ...all('unsettled', evidence.unsettled),
    ...all('leak', evidence.leaks),
    ...all('leftover', evidence.leftovers),
    ...all('daemon', evidence.daemon),
  ];
}

function judgeTasks(plan: Plan, { ids, listed }: Evidence): Violation[] {
  const lost = plan.tasks.flatMap((_, index): Violation[] => {
    const id = ids[index];
    if (id === undefined) return [{ kind: 'lost', what: `task ${index} was never taken` }];
    return listed.includes(id) ? [] : [{ kind: 'lost', what: `task ${index} (${id}) is gone` }];
  });
  const strange = listed.filter((id) => !ids.includes(id));
  return [
    ...lost,
    ...strange.map((id): Violation => ({ kind: 'strange', what: `nobody submitted ${id}` })),
  ];
}

/** Each line must be whole and name an attempt that the daemon knows. */
function judgeLedger({ ledger, attempts, open }: Evidence): Violation[] {
  const known = new Set([...attempts.map(({ token }) => token), ...open]);
  return ledger.flatMap((line): Violation[] => {
    const [token = '', pid = ''] = line.split(' ');
    return known.has(token) && /^\d+$/.test(pid)
      ? []
      : [{ kind: 'ledger', what: `a start of an attempt that nobody knows: ${line}` }];
  });
}

function judgeAttempt({ ledger }: Evidence, { token, task, faults, outcome }: SeenAttempt) {
  const starts = ledger.filter((line) => line.split(' ')[0] === token).length;
  const said = `${outcome.result}${outcome.failure === undefined ? '' : ` ${outcome.failure.code}`}`;
  return allowed(faults, { ...outcome, starts }).map(
    (what): Violation => ({ kind: 'attempt', what: `task ${task}, ${token} (${said}): ${what}` }),
  );
}
