/** What an attempt used, in words. */
import type { TaskView } from '../../protocol/views.ts';
import { sizeText } from './text.ts';

type Usage = NonNullable<TaskView['usage']>;

/** `12.3 s, processor 10.0 s user and 0.5 s system, at most 64.0 MiB in a process`. */
export function usageText(usage: Usage | undefined): string | undefined {
  if (usage === undefined) return undefined;
  const { wallMs, cpuUserMs, cpuSystemMs, maxRssBytes } = usage;
  const memory = maxRssBytes === undefined ? '' : `, at most ${sizeText(maxRssBytes)} in a process`;
  return `${seconds(wallMs)}, processor ${seconds(cpuUserMs)} user and ${seconds(cpuSystemMs)} system${memory}`;
}

/** One line for each earlier attempt. */
export function pastAttemptLines(history: TaskView['history']): string[] {
  return (history ?? []).map(({ attempt, result, host, exitCode, failure, usage }) => {
    const where = host === undefined ? '' : ` on ${host}`;
    const code = exitCode === undefined ? '' : ` with code ${exitCode}`;
    const why = failure === undefined ? '' : `, ${failure.code}`;
    const used = usage === undefined ? '' : `; ${usageText(usage)}`;
    return `attempt ${attempt} ${result}${where}${code}${why}${used}`;
  });
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
