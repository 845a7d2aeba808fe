/** What `workflow check` says of a file. */
import { graphOf } from '../../workflow/graph.ts';
import type { Problem } from '../../workflow/problem.ts';
import type { ReadWorkflow } from '../../workflow/read.ts';

export function checkText(file: string, read: ReadWorkflow): string {
  const { inFile, tasks, levels } = counts(read);
  const made = tasks === inFile ? '' : `, ${tasks} to run`;
  return `ok: ${file}: ${plural(inFile, 'task')}${made}, ${plural(levels, 'level')}\n`;
}

export function checkJson(file: string, read: ReadWorkflow | { problems: Problem[] }) {
  if ('problems' in read) return { ok: false, file, problems: read.problems };
  const { tasks, levels } = counts(read);
  return { ok: true, file, name: read.manifest.name, tasks, levels, problems: [] };
}

function counts({ manifest, expanded }: ReadWorkflow) {
  const levels = Math.max(...graphOf(manifest, expanded).map(({ level }) => level)) + 1;
  return { inFile: manifest.tasks.size, tasks: expanded.tasks.length, levels };
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
