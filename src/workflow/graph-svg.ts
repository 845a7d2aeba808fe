/** A graph as SVG: a box for each task, as wide as its label needs, curves between them. Pure. Read next: graph-layout.ts. */
import { columnsOf, fitColumns } from '../domain/columns.ts';
import { escapeControls } from '../domain/shown.ts';
import { type GraphNode, titleOf } from './graph.ts';
import { layOut, type Point } from './graph-layout.ts';
import { Markup, markup } from './markup.ts';
import { stateRules } from './state-colours.ts';

export interface DrawnNode extends GraphNode {
  /** Instead of its name. */
  label?: string | undefined;
  /** How many of its tasks are in which state. */
  states?: readonly (readonly [state: string, count: number])[] | undefined;
  /** More about it, for who points at it. */
  about?: string | undefined;
  href?: string | undefined;
}

interface Box {
  node: DrawnNode;
  label: string;
  width: number;
  corner: Point;
}

/** Fonts of one width take 0.6 of their size; what is wider after all is cut at its box. */
const COLUMN_PX = 7.4;
const LABEL_COLUMNS_MAX = 30;
const PAD_PX = 11;
const HEIGHT_PX = 30;
const STRIP_PX = 5;
const ARROW_PX = 7;
/** Several tasks look like a stack of them. */
const DECK_PX = 3;

/** Of a page that holds a graph; it has the colours that these name. */
export const GRAPH_RULES = `.graph text{font:12px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;fill:var(--ink)}
.graph .box{fill:var(--box);stroke:var(--line)}
.graph .edge{fill:none;stroke:var(--edge);stroke-width:1.3}
.graph .arrow{fill:var(--edge)}`;

const FILE_RULES = `svg{--ink:#1c2330;--box:#f3f5f9;--line:#8d97a5;--edge:#6b7686;background:#fff}
@media (prefers-color-scheme:dark){svg{--ink:#e6e9ef;--box:#252b36;--line:#6b7686;--edge:#98a2b3;background:#161a21}}
${GRAPH_RULES}
${stateRules()}`;

/** A file of its own, light or dark as its reader likes it. */
export function graphFile(name: string, nodes: readonly DrawnNode[]): string {
  const rules = new Markup(`<style>\n${FILE_RULES}\n</style>\n`);
  return `${graphSvg(name, nodes, rules).text}\n`;
}

/** A picture for a page that has GRAPH_RULES. */
export function graphSvg(name: string, nodes: readonly DrawnNode[], rules?: Markup): Markup {
  const labels = new Map(nodes.map((node) => [node.name, labelOf(node)]));
  const sized = nodes.map((node) => ({
    ...node,
    width: Math.ceil(columnsOf(labels.get(node.name) ?? '') * COLUMN_PX) + 2 * PAD_PX,
    height: HEIGHT_PX,
  }));
  const { width, height, corners, ways, isAcross } = layOut(sized);
  const boxes = sized.map((node): Box => {
    const corner = corners.get(node.name) ?? { x: 0, y: 0 };
    return { node, label: labels.get(node.name) ?? '', width: node.width, corner };
  });
  const about = `Which task of ${name} waits for which`;
  return markup`<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="img" aria-label="${about}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
${rules}${ways.map((way) => edge(way, isAcross))}${boxes.map(boxOf)}</svg>`;
}

/** The number of parts is never cut. */
function labelOf({ label, name, parts }: DrawnNode): string {
  const count = parts === undefined ? '' : ` ×${parts}`;
  return fitColumns(escapeControls(label ?? name), LABEL_COLUMNS_MAX - count.length) + count;
}

/** The inner svg cuts off what would reach over the box. */
function boxOf({ node, label, width, corner: { x, y } }: Box): Markup {
  const deck = markup`<rect class="box" x="${at(x + DECK_PX)}" y="${at(y + DECK_PX)}" width="${width}" height="${HEIGHT_PX}" rx="5"/>`;
  const about = node.about ?? titleOf(node);
  const box = markup`<g><title>${about}</title>${isDeck(node) ? deck : undefined}<rect class="box" x="${at(x)}" y="${at(y)}" width="${width}" height="${HEIGHT_PX}" rx="5"/>
<svg x="${at(x)}" y="${at(y)}" width="${width}" height="${HEIGHT_PX}"><text x="${PAD_PX}" y="${node.states === undefined ? 19.5 : 17.5}">${label}</text>${strip(node, width)}</svg></g>`;
  return node.href === undefined ? markup`${box}\n` : markup`<a href="${node.href}">${box}</a>\n`;
}

const isDeck = ({ parts }: DrawnNode): boolean => (parts ?? 1) > 1;

/** At the foot of a box: a piece for each state, as long as the tasks in it are many. */
function strip({ states }: DrawnNode, width: number): Markup[] {
  const total = (states ?? []).reduce((sum, [, count]) => sum + count, 0);
  let from = 1;
  return (states ?? []).map(([state, count]) => {
    const length = ((width - 2) * count) / total;
    const piece = markup`<rect class="s-${state}" x="${at(from)}" y="${HEIGHT_PX - STRIP_PX - 1}" width="${at(length)}" height="${STRIP_PX}"/>`;
    from += length;
    return piece;
  });
}

/** Leaves and arrives in the direction of the levels, so that bends are round. */
function edge(way: readonly Point[], isAcross: boolean): Markup {
  const end = way.at(-1) ?? { x: 0, y: 0 };
  const tip = isAcross ? { x: end.x - ARROW_PX, y: end.y } : { x: end.x, y: end.y - ARROW_PX };
  const points = [...way.slice(0, -1), tip];
  const steps = points.map((point, index) => {
    const last = points[index - 1];
    if (last === undefined) return `M${pair(point)}`;
    const half = isAcross ? (point.x - last.x) / 2 : (point.y - last.y) / 2;
    const [out, into] = isAcross
      ? [
          { x: last.x + half, y: last.y },
          { x: point.x - half, y: point.y },
        ]
      : [
          { x: last.x, y: last.y + half },
          { x: point.x, y: point.y - half },
        ];
    return `C${pair(out)} ${pair(into)} ${pair(point)}`;
  });
  const [a, b] = isAcross
    ? [
        { x: tip.x, y: tip.y - 3.5 },
        { x: tip.x, y: tip.y + 3.5 },
      ]
    : [
        { x: tip.x - 3.5, y: tip.y },
        { x: tip.x + 3.5, y: tip.y },
      ];
  return markup`<path class="edge" d="${steps.join('')}"/><path class="arrow" d="M${pair(a)}L${pair(end)}L${pair(b)}Z"/>
`;
}

const pair = ({ x, y }: Point): string => `${at(x)},${at(y)}`;

function at(px: number): number {
  return Math.round(px * 10) / 10;
}
