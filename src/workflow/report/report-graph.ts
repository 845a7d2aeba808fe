/** The graph of a run: tasks that a scatter made are one node again. Pure. */
import type { DrawnNode } from '../graph-svg.ts';
import { levelsOf } from '../levels.ts';
import { countsOf, type ReportTask } from './report.ts';

type Groups = ReadonlyMap<string, readonly ReportTask[]>;

/** By level; names of nodes are those of tasks, or what their parts share. */
export function reportGraph(tasks: readonly ReportTask[]): DrawnNode[] {
  return nodesOf(gathered(tasks)) ?? nodesOf(oneByOne(tasks)) ?? [];
}

const PART = /^(.+)\.(\d+)$/;

/** NAME.0, NAME.1 … are parts of NAME where there is more than one of them and no task is called NAME. */
function gathered(tasks: readonly ReportTask[]): Groups {
  const names = new Set(tasks.map(({ name }) => name));
  const bases = Map.groupBy(tasks, ({ name, id }) => PART.exec(name)?.[1] ?? id);
  const baseOf = ({ name, id }: ReportTask): string => {
    const base = PART.exec(name)?.[1];
    if (base === undefined || names.has(base)) return id;
    return (bases.get(base)?.length ?? 0) > 1 ? `${base}.` : id;
  };
  return Map.groupBy(tasks, baseOf);
}

function oneByOne(tasks: readonly ReportTask[]): Groups {
  return new Map(tasks.map((task) => [task.id, [task]]));
}

/** Undefined where groups wait for each other, or for themselves: they are none. */
function nodesOf(groups: Groups): DrawnNode[] | undefined {
  const groupOf = new Map(
    [...groups].flatMap(([key, tasks]) => tasks.map(({ id }) => [id, key] as const)),
  );
  const linked = new Map(
    [...groups].map(([key, tasks]) => {
      const after = tasks.flatMap((task) => task.after.flatMap((id) => groupOf.get(id) ?? []));
      return [key, { after: [...new Set(after)], tasks }] as const;
    }),
  );
  const levels = levelsOf(linked);
  if (levels.size < linked.size) return undefined;
  return [...linked].map(([key, { after, tasks }]) => {
    const [first] = tasks;
    const states = countsOf(tasks);
    const isGroup = tasks.length > 1;
    const label = isGroup ? key.slice(0, -1) : (first?.name ?? key);
    const told = states.map(([state, count]) => (isGroup ? `${count} ${state}` : state)).join(', ');
    return {
      name: key,
      label,
      after,
      level: levels.get(key) ?? 0,
      parts: isGroup ? tasks.length : undefined,
      states,
      about: `${label}${isGroup ? ` ×${tasks.length}` : ''}: ${told}`,
      href: `#task-${first?.id}`,
    };
  });
}
