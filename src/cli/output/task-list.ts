/** The table of tasks. */
import type { TaskView } from '../../protocol/views.ts';
import { commandText, spanText, table } from './text.ts';

const COMMAND_CHARS_MAX = 200;

/** One line a task: what a person looks for first. */
export function taskTable(tasks: readonly TaskView[], now: number, width: number): string {
  const head = ['ID', 'STATE', 'HOST', 'AGE', 'TIME', 'EXIT', 'NAME', 'COMMAND'];
  const rows = tasks.map((task) => [
    task.id,
    task.attempt > 1 ? `${task.state} (${task.attempt})` : task.state,
    task.host ?? task.asked.host ?? '-',
    spanText(now - Date.parse(task.submittedAt)),
    runTime(task, now),
    outcome(task),
    task.name ?? '-',
    commandText(task.command).slice(0, COMMAND_CHARS_MAX),
  ]);
  return table([head, ...rows], width);
}

/** How it ended; before that, what it waits for. */
function outcome({ exitCode, failure, blocked, waitingOn }: TaskView): string {
  if (exitCode !== undefined) return String(exitCode);
  const [other, ...more] = waitingOn ?? [];
  const after = other && `after ${other}${more.length > 0 ? ` +${more.length}` : ''}`;
  return failure?.code ?? blocked?.reason ?? after ?? '-';
}

function runTime(task: TaskView, now: number): string {
  if (task.startedAt === undefined) return '-';
  const end = task.finishedAt === undefined ? now : Date.parse(task.finishedAt);
  return spanText(end - Date.parse(task.startedAt));
}
