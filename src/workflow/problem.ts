/** What is wrong with a workflow file: where it stands, and what to do about it. */
export interface Problem {
  line: number;
  column: number;
  message: string;
}

/** Where something stands in the file: `['tasks', 'align', 'inputs', 0]`. */
export type Path = readonly (string | number)[];

/** In the order of the file, none twice: a scatter would say the same for each of its parts. */
export function sorted(problems: readonly Problem[]): Problem[] {
  const one = new Map(problems.map((problem) => [JSON.stringify(Object.values(problem)), problem]));
  return [...one.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}
