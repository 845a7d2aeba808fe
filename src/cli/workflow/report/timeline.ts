/** The timeline of a report: a line for each attempt, on it a piece for each state it was in, as long as it was. */
import { Markup, markup } from '../../../workflow/markup.ts';
import type { Attempt, Stretch } from '../../../workflow/report/attempts.ts';
import type { Report, ReportTask } from '../../../workflow/report/report.ts';
import { exactSpan } from './words.ts';

interface Scale {
  from: number;
  /** Of an instant, in percent of the width. */
  place: (at: number) => number;
  ticks: { at: number; label: string }[];
}

const BAR_PX = 14;
const TICKS_MAX = 8;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [
  ...[100, 200, 500, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND],
  ...[MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE],
  ...[HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR],
];
/** In the order of a task's life. */
const LEGEND = [
  ...['held', 'waiting', 'queued', 'staging', 'pulling', 'launching', 'running', 'collecting'],
  ...['cancelling', 'cleaning'],
];

export function timeline(report: Report): Markup {
  const scale = scaleOf(report);
  const used = new Set(
    report.tasks.flatMap(({ attempts }) =>
      attempts.flatMap(({ stretches }) => stretches.map(({ state }) => state)),
    ),
  );
  const legend = LEGEND.filter((state) => used.has(state)).map(
    (state) => markup`<li><i class="dot s-${state}"></i>${state}</li>`,
  );
  return markup`<section id="timeline">
<h2>Timeline</h2>
<ul class="legend">${legend}</ul>
<table class="timeline">
<thead><tr><th scope="col">task, host</th><td>${axis(scale)}</td></tr></thead>
<tbody>
${report.tasks.map((task) => task.attempts.map((attempt) => line(task, attempt, scale)))}</tbody>
</table>
</section>`;
}

/** Cleaning may go on for long after the end of the last task: it is cut off at the edge. */
function scaleOf({ from, to }: Report): Scale {
  const length = Math.max(to - from, 1);
  const place = (at: number): number =>
    Math.round(Math.min(100, Math.max(0, (98.5 * (at - from)) / length)) * 100) / 100;
  const days = Math.ceil(length / TICKS_MAX / (24 * HOUR)) * 24 * HOUR;
  const step = STEPS.find((one) => length / one <= TICKS_MAX) ?? days;
  const ticks: Scale['ticks'] = [];
  for (let passed = 0; passed <= length; passed += step) {
    ticks.push({ at: from + passed, label: passed === 0 ? '0' : tickText(passed) });
  }
  return { from, place, ticks };
}

/** `0.2s`, `10s`, `1m30s`, `2h`. */
function tickText(ms: number): string {
  if (ms < MINUTE) return `${ms / SECOND}s`;
  const parts = [
    [Math.floor(ms / HOUR / 24), 'd'],
    [Math.floor(ms / HOUR) % 24, 'h'],
    [Math.floor(ms / MINUTE) % 60, 'm'],
    [Math.floor(ms / SECOND) % 60, 's'],
  ] as const;
  return parts.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('');
}

function axis({ place, ticks }: Scale): Markup {
  const labels = ticks.map(({ at, label }, index) => {
    const anchor = index === 0 ? 'start' : place(at) > 95 ? 'end' : 'middle';
    return markup`<text x="${place(at)}%" y="11" text-anchor="${anchor}">${label}</text>`;
  });
  return markup`<svg class="axis" width="100%" height="${BAR_PX}" aria-hidden="true">${labels}</svg>`;
}

function line(task: ReportTask, attempt: Attempt, scale: Scale): Markup {
  const { host, stretches, result } = attempt;
  const number = task.attempts.length === 1 ? '' : ` · attempt ${attempt.attempt}`;
  const told = stretches.map(
    (stretch) => `${stretch.state} ${exactSpan(stretch.to - stretch.from)}`,
  );
  const about = [...told, result ?? 'not ended'].join(', ');
  const grid = scale.ticks.map(({ at }) => {
    const x = `${scale.place(at)}%`;
    return markup`<line class="grid" x1="${x}" x2="${x}" y1="0" y2="${BAR_PX + 4}"/>`;
  });
  return markup`<tr><th scope="row" title="${task.name}"><div><a href="#task-${task.id}"><bdi>${task.name}</bdi></a><small><span>${host ?? '-'}</span>${number}</small></div></th><td><svg width="100%" height="${BAR_PX + 4}" role="img" aria-label="${about}">${grid}${stretches.map((stretch) => piece(stretch, scale))}${mark(attempt, scale)}</svg></td></tr>
`;
}

function piece({ state, from, to, blocked }: Stretch, scale: Scale): Markup {
  const [x, end] = [scale.place(from), scale.place(to)];
  const why = blocked === undefined ? '' : `, held up by ${blocked}`;
  const title = `${state} ${exactSpan(to - from)}, from ${exactSpan(from - scale.from)} on${why}`;
  const width = Math.round((end - x) * 100) / 100;
  // what is before and after the work itself is thinner, so that the work is seen
  const [y, height] = state === 'running' ? [2, BAR_PX] : [5, BAR_PX - 6];
  const box = markup`<rect class="s-${state}" x="${x}%" y="${y}" width="${width}%" height="${height}"><title>${title}</title></rect>`;
  if (blocked === undefined) return box;
  return markup`${box}<rect class="s-failed" x="${x}%" y="${BAR_PX}" width="${width}%" height="3"/>`;
}

/** How it ended, where it ended: seen also where its time is too short to be seen. */
function mark({ result, stretches }: Attempt, scale: Scale): Markup {
  const end = stretches.findLast(({ state }) => state !== 'cleaning')?.to;
  if (result === undefined || end === undefined) return markup``;
  const x = `${scale.place(end)}%`;
  return markup`<line class="mark e-${result}" x1="${x}" x2="${x}" y1="1" y2="${BAR_PX + 3}"><title>${result}</title></line>`;
}
