/** Which task of a file waits for which: by level, as text or for Mermaid; graph-svg.ts draws it. */
import type { Expanded } from './expand.ts';
import { levelsOf } from './levels.ts';
import type { Manifest } from './manifest.ts';

export interface GraphNode {
  name: string;
  after: readonly string[];
  /** 0: waits for nothing. */
  level: number;
  /** How many tasks are made of it; undefined: it is not scattered. */
  parts?: number | undefined;
}

const INDENT = 2;
const INDENT_MAX = 24;

/** By level, and in a level in the order of the file. */
export function graphOf({ tasks }: Manifest, { parts }: Pick<Expanded, 'parts'>): GraphNode[] {
  const levels = levelsOf(tasks);
  const nodes = [...tasks].map(([name, { after, scatter }]): GraphNode => {
    const made = scatter === undefined ? undefined : parts.get(name)?.length;
    return { name, after: [...new Set(after)], level: levels.get(name) ?? 0, parts: made };
  });
  return nodes.sort((a, b) => a.level - b.level);
}

/** A line a task, indented by its level; arrows to those it waits for, broken at the width. */
export function graphText(nodes: readonly GraphNode[], width: number): string {
  const blocks = nodes.map((node) => {
    const indent = ' '.repeat(Math.min(INDENT_MAX, node.level * INDENT));
    const head = `${indent}${titleOf(node)}`;
    if (node.after.length === 0) return `${head}\n`;
    return broken(`${head} <- `, `${indent}    `, { words: node.after, width });
  });
  return blocks.join('');
}

function broken(
  head: string,
  indent: string,
  { words, width }: { words: readonly string[]; width: number },
): string {
  const lines = [head];
  for (const [index, name] of words.entries()) {
    const word = index === words.length - 1 ? name : `${name}, `;
    const line = lines.at(-1) ?? '';
    const isFirst = line === head || line === indent;
    if (isFirst || line.length + word.trimEnd().length <= width)
      lines[lines.length - 1] = line + word;
    else lines.push(indent + word);
  }
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

export function graphMermaid(nodes: readonly GraphNode[]): string {
  const ids = new Map(nodes.map(({ name }, index) => [name, `t${index}`]));
  const boxes = nodes.map((node) => `  ${ids.get(node.name)}["${titleOf(node)}"]`);
  const arrows = nodes.flatMap(({ name, after }) =>
    after.map((other) => `  ${ids.get(other)} --> ${ids.get(name)}`),
  );
  return `${['graph TD', ...boxes, ...arrows].join('\n')}\n`;
}

export function titleOf({ name, parts }: Pick<GraphNode, 'name' | 'parts'>): string {
  return parts === undefined ? name : `${name} ×${parts}`;
}
