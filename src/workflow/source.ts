/** The text of a workflow file as values that still know where they stand. JSON is read as YAML, which contains it. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';
import { type Path, type Problem, sorted } from './problem.ts';

export interface Source {
  value: unknown;
  /** A problem with what stands at the path, or with its key; the nearest place above where there is none. */
  problem(path: Path, message: string, at?: 'key' | 'value'): Problem;
}

export type ReadSource = { source: Source } | { problems: Problem[] };

/** What an alias may unfold to is bounded by the parser. */
export function readSource(text: string): ReadSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ pos, message }) => ({ ...place(pos[0]), message }));
    return { problems: sorted(problems) };
  }
  try {
    return {
      source: {
        value: document.toJS() as unknown,
        problem: (path, message, at = 'value') => ({
          ...place(offsetOf(document, path, at)),
          message,
        }),
      },
    };
  } catch (error) {
    return { problems: [{ line: 1, column: 1, message: (error as Error).message }] };
  }
}

function offsetOf(document: Document, path: Path, at: 'key' | 'value'): number {
  let node = document.contents as Node | null;
  let offset = node?.range?.[0] ?? 0;
  for (const [index, part] of path.entries()) {
    const found = stepInto(document, node, part);
    if (found === undefined) break;
    const isKey = at === 'key' && index === path.length - 1;
    node = found.value;
    offset = (isKey ? undefined : node?.range?.[0]) ?? found.key?.range?.[0] ?? offset;
  }
  return offset;
}

interface Found {
  key: Node | null;
  value: Node | null;
}

function stepInto(document: Document, from: Node | null, part: string | number): Found | undefined {
  const node = isAlias(from) ? (from.resolve(document) ?? null) : from;
  if (isSeq(node)) {
    const value = node.items[Number(part)] as Node | undefined;
    return value === undefined ? undefined : { key: null, value };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
  return pair && { key: pair.key as Node, value: pair.value as Node | null };
}
