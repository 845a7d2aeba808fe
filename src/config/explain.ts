/** Turns what is wrong into one error that lists all of it, in the order of the files. */
import { AppError } from '../domain/failure.ts';
import { shownName } from '../domain/shown.ts';
import type { Note } from './openssh/lines.ts';
import { type Problem } from './problem.ts';

/** More lines than this help nobody: the file is of another kind. */
const PROBLEMS_SHOWN_MAX = 40;

/** One line: `file:line: [section] key: what`. */
export function explainProblem(problem: Problem): string {
  const { place, section, key, what } = problem;
  const where =
    place === undefined ? '' : place.line === 0 ? place.file : `${place.file}:${place.line}`;
  const name = [section === undefined ? '' : `[${shownName(section)}]`, key ?? '']
    .filter((part) => part !== '')
    .join(' ');
  return [where, name, what].filter((part) => part !== '').join(': ');
}

/** A note, as it stands in a log: `file:line: what`. */
export function explainNote(note: Note): string {
  return explainProblem({ ...note, code: 'CONFIG_SYNTAX' });
}

/** The error for a configuration that cannot be used: code and context of the first problem, all lines. */
export function explain(problems: readonly Problem[], files: readonly string[]): AppError {
  const sorted = problems.toSorted((a, b) => rank(a, files) - rank(b, files));
  const first = sorted[0] ?? { code: 'INTERNAL', what: 'no problem to explain' };
  const lines = sorted.slice(0, PROBLEMS_SHOWN_MAX).map(explainProblem);
  if (sorted.length > PROBLEMS_SHOWN_MAX)
    lines.push(`and ${sorted.length - PROBLEMS_SHOWN_MAX} more`);
  const message =
    lines.length === 1
      ? lines.join('')
      : `the configuration has ${sorted.length} problems:\n  ${lines.join('\n  ')}`;
  return new AppError(first.code, message, {
    context: {
      file: first.place?.file,
      line: first.place?.line,
      section: first.section,
      key: first.key,
      problems: sorted.length,
    },
  });
}

/** Files in the order read (unreadable ones where they are named), lines upwards, what has no place last. */
function rank(problem: Problem, files: readonly string[]): number {
  if (problem.place === undefined) return Infinity;
  const file = files.indexOf(problem.place.file);
  return (file < 0 ? files.length : file) * 1e9 + problem.place.line;
}
