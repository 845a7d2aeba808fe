/** A report for programs: times are ISO 8601 in UTC, as everywhere. */
import type { Report } from '../../../workflow/report/report.ts';

export function reportJson({ isOver, counts, tasks, ...report }: Report) {
  return {
    workflow: report.workflow,
    run: report.run,
    over: isOver,
    at: iso(report.at),
    from: iso(report.from),
    to: iso(report.to),
    counts: Object.fromEntries(counts),
    tasks: tasks.map(({ attempts, ...task }) => ({
      ...task,
      attempts: attempts.map(({ stretches, ...attempt }) => ({
        ...attempt,
        stretches: stretches.map(({ from, to, ...rest }) => ({
          ...rest,
          from: iso(from),
          to: iso(to),
        })),
      })),
    })),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
