/** The end of stderr and where the rest is, for a task that failed. */
import type { TaskView } from '../../protocol/views.ts';
import { escapeControls } from './text.ts';

/** Empty for a task that did not fail. */
export function lastWords({ stderrTail, logs }: Pick<TaskView, 'stderrTail' | 'logs'>): string {
  const said =
    stderrTail === undefined || stderrTail === ''
      ? ''
      : `last lines of stderr:\n${escapeControls(stderrTail).trimEnd()}\n`;
  return logs === undefined ? said : `${said}in full: ${logs.commands.join(', ')}\n`;
}
