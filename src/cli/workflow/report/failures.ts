/** What went wrong, the reason before its consequences: each failure of its own, then what never started for it. */
import { type Markup, markup } from '../../../workflow/markup.ts';
import type { Attempt } from '../../../workflow/report/attempts.ts';
import { hasOwnFailure, type Report, type ReportTask } from '../../../workflow/report/report.ts';

/** More of them have a line each: what is wrong is seen by then. */
const TOLD_MAX = 25;

/** Something failed, if only for a while. */
export function hasTrouble({ tasks }: Report): boolean {
  return tasks.some(({ failure: why, attempts }) => why !== undefined || attempts.length > 1);
}

export function failures(report: Report): Markup {
  if (!hasTrouble(report)) return markup``;
  const { tasks } = report;
  const failed = tasks.filter(({ failure }) => failure !== undefined);
  const own = failed.filter(hasOwnFailure);
  const others = failed.filter((task) => !hasOwnFailure(task));
  const again = tasks.filter(
    ({ failure: why, attempts }) => why === undefined && attempts.length > 1,
  );
  const names = new Map(tasks.map(({ id, name }) => [id, name]));
  return markup`<section id="failures">
<h2>${failed.length > 0 ? 'What went wrong' : 'What went wrong first'}</h2>
${own.slice(0, TOLD_MAX).map(failure)}${more(own.slice(TOLD_MAX))}${neverStarted(others, names)}${triedAgain(again)}
</section>`;
}

function failure(task: ReportTask): Markup {
  const { id, name, state, stderrTail, logs } = task;
  const { code, message, hint } = task.failure ?? { code: '', message: '', hint: '' };
  const host = task.host === undefined ? '' : ` on ${task.host}`;
  const said =
    stderrTail === undefined || stderrTail === ''
      ? undefined
      : markup`<p class="label">last lines of stderr</p><pre tabindex="0">${stderrTail}</pre>`;
  const whole =
    logs === undefined
      ? undefined
      : markup`<p class="label">in full: ${commands(logs.commands)}</p>`;
  return markup`<article id="failure-${id}" class="v-${state}">
<h3><a href="#task-${id}"><bdi>${name}</bdi></a> <small><i class="dot s-${state}"></i>${state}${host}</small></h3>
<p class="message"><b>${code}</b>: ${message}</p>
<p class="hint">hint: ${hint}</p>
${earlier(task)}${said}${whole}
</article>
`;
}

function commands(all: readonly string[]): Markup[] {
  return all.map((one, index) => markup`${index > 0 ? ', ' : ''}<code>${one}</code>`);
}

function earlier({ attempts }: ReportTask): Markup | undefined {
  if (attempts.length < 2) return undefined;
  return markup`<ul>${attempts.map((one) => markup`<li>${attemptText(one)}</li>`)}</ul>
`;
}

/** `attempt 1 failed on vm with code 3: TASK_EXIT_CODE`. */
function attemptText({ attempt, result, host, exitCode, failure: why }: Attempt): string {
  const where = host === undefined ? '' : ` on ${host}`;
  const code = exitCode === undefined ? '' : ` with code ${exitCode}`;
  return `attempt ${attempt} ${result ?? 'goes on'}${where}${code}${why === undefined ? '' : `: ${why.code}`}`;
}

function more(tasks: readonly ReportTask[]): Markup | undefined {
  if (tasks.length === 0) return undefined;
  const rows = tasks.map(
    ({ id, name, failure: why }) =>
      markup`<li id="failure-${id}"><a href="#task-${id}"><bdi>${name}</bdi></a> ${why?.code}</li>`,
  );
  return markup`<article class="v-failed">
<h3>and ${tasks.length} more</h3>
<ul class="wide">${rows}</ul>
</article>
`;
}

function neverStarted(
  tasks: readonly ReportTask[],
  names: ReadonlyMap<string, string>,
): Markup | undefined {
  if (tasks.length === 0) return undefined;
  const rows = tasks.map(({ id, name, failure: why }) => {
    const other = String(why?.context?.['predecessor'] ?? '');
    const cause = names.get(other);
    const link =
      cause === undefined
        ? markup`${other}`
        : markup`<a href="#failure-${other}"><bdi>${cause}</bdi></a>`;
    return markup`<li id="failure-${id}"><a href="#task-${id}"><bdi>${name}</bdi></a> waits for ${link}</li>`;
  });
  return markup`<article class="v-error">
<h3>never started: ${tasks.length} task${tasks.length === 1 ? '' : 's'}</h3>
<p class="message"><b>TASK_PREDECESSOR_FAILED</b>: what they wait for did not succeed</p>
<ul class="wide">${rows}</ul>
</article>
`;
}

function triedAgain(tasks: readonly ReportTask[]): Markup | undefined {
  if (tasks.length === 0) return undefined;
  const rows = tasks.map(
    ({ id, name, attempts }) =>
      markup`<li><a href="#task-${id}"><bdi>${name}</bdi></a>: ${attempts.map(attemptText).join('; ')}</li>`,
  );
  return markup`<article class="v-succeeded">
<h3>tried again</h3>
<ul>${rows}</ul>
</article>
`;
}
