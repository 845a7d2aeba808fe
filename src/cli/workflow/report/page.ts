/**
 * A report as one page: no script, nothing fetched, readable as a file, in light and dark and on paper. All that
 * comes from tasks and hosts is escaped by markup.ts. Read next: timeline.ts, failures.ts, page-style.ts.
 */
import { createHash } from 'node:crypto';
import { graphSvg } from '../../../workflow/graph-svg.ts';
import { Markup, markup } from '../../../workflow/markup.ts';
import type { Report, ReportTask } from '../../../workflow/report/report.ts';
import { reportGraph } from '../../../workflow/report/report-graph.ts';
import { failures, hasTrouble } from './failures.ts';
import { PAGE_STYLE } from './page-style.ts';
import { timeline } from './timeline.ts';
import { columnsFor, exactSpan, timeText, verdictState, verdictText } from './words.ts';

/** Beyond that nobody finds anything in a picture. */
const GRAPH_NODES_MAX = 400;

export function reportPage(report: Report): string {
  const hash = createHash('sha256').update(PAGE_STYLE).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${report.workflow}: ${verdictText(report)}</title>
<style>${new Markup(PAGE_STYLE)}</style>
</head>
<body>
${header(report)}
${failures(report)}
${timeline(report)}
${table(report)}
${graph(report)}
</body>
</html>
`;
  return page.text;
}

function header(report: Report): Markup {
  const { workflow, run, from, to, at, isOver, counts, tasks } = report;
  const told = counts.map(
    ([state, count]) => markup`<li><i class="dot s-${state}"></i>${count} ${state}</li>`,
  );
  const hosts = new Set(
    tasks.flatMap(({ attempts }) => attempts.flatMap(({ host }) => host ?? [])),
  );
  return markup`<header>
<h1><bdi>${workflow}</bdi> <span class="verdict v-${verdictState(report)}">${verdictText(report)}</span></h1>
<ul class="counts"><li><b>${tasks.length} task${tasks.length === 1 ? '' : 's'}</b></li>${told}</ul>
<dl>
<dt>run</dt><dd><code>${run}</code></dd>
<dt>began</dt><dd>${timeText(from)}</dd>
<dt>${isOver ? 'ended' : 'as it stood'}</dt><dd>${timeText(to)}, after ${exactSpan(to - from)}</dd>
<dt>hosts</dt><dd>${hosts.size === 0 ? 'none' : [...hosts].sort().join(', ')}</dd>
<dt>report of</dt><dd>${timeText(at)}</dd>
</dl>
<nav>${hasTrouble(report) ? markup`<a href="#failures">failures</a> ` : undefined}<a href="#timeline">timeline</a> <a href="#tasks">tasks</a>${hasEdges(report) ? markup` <a href="#graph">graph</a>` : undefined}</nav>
</header>`;
}

function table(report: Report): Markup {
  const columns = columnsFor(report);
  const row = (task: ReportTask): Markup => {
    const cells = columns.map(
      ({ head, cell }) => markup`<td${head === 'host' ? undefined : NUMBER}>${cell(task)}</td>`,
    );
    const name =
      task.failure === undefined
        ? markup`<bdi>${task.name}</bdi>`
        : markup`<a href="#failure-${task.id}"><bdi>${task.name}</bdi></a>`;
    return markup`<tr id="task-${task.id}"><th scope="row" title="${task.name}">${name}</th><td><i class="dot s-${task.state}"></i>${task.state}</td>${cells}<td><code>${task.id}</code></td></tr>
`;
  };
  const heads = columns.map(
    ({ head }) => markup`<th scope="col"${head === 'host' ? undefined : NUMBER}>${head}</th>`,
  );
  return markup`<section id="tasks">
<h2>Tasks</h2>
<div class="scroll"><table class="tasks">
<thead><tr><th scope="col">name</th><th scope="col">state</th>${heads}<th scope="col">id</th></tr></thead>
<tbody>
${report.tasks.map(row)}</tbody>
</table></div>
<p class="note">time, cpu: of all attempts, from the start of the command to its end; in: inputs that were brought to the host, or were there already; out: outputs that were fetched.</p>
</section>`;
}

const NUMBER = new Markup(' class="number"');

function hasEdges({ tasks }: Report): boolean {
  return tasks.some(({ after }) => after.length > 0);
}

function graph(report: Report): Markup {
  if (!hasEdges(report)) return markup``;
  const { workflow, tasks } = report;
  const nodes = reportGraph(tasks);
  const picture =
    nodes.length > GRAPH_NODES_MAX
      ? markup`<p class="note">${nodes.length} boxes are too many to be drawn: towline workflow graph FILE</p>`
      : markup`<div class="scroll">${graphSvg(workflow, nodes)}</div>`;
  return markup`<section id="graph">
<h2>Which waits for which</h2>
${picture}
</section>`;
}
