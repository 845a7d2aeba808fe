/** The course of `towline workflow run`: submit, follow, tell how it ended. Read next: board.ts, shows.ts. */
import { createHash, randomBytes } from 'node:crypto';
import type { Client } from '../../client/client.ts';
import { surely } from '../../client/reconnect.ts';
import { ENDED_KINDS, STATE_KINDS } from '../../domain/state.ts';
import type { EventView, SubmitView, TaskView } from '../../protocol/views.ts';
import { graphOf } from '../../workflow/graph.ts';
import type { ReadWorkflow } from '../../workflow/read.ts';
import type { Call } from '../call.ts';
import { EXIT_HANGUP, EXIT_INTERRUPTED, EXIT_OK, EXIT_TASK_FAILED } from '../exit-codes.ts';
import { type Asks, catchAsks } from './asks.ts';
import { type Board, createBoard, hasEnded, hasFailed, NOT_STARTED, type Row } from './board.ts';
import { cancelGroups, getEach } from './calls.ts';
import type { Show } from './show.ts';
import { createShow } from './shows.ts';

interface RunWorkflowOptions {
  idempotencyKey?: string | undefined;
  /** The first failure cancels the others. */
  isFast: boolean;
  /** What an earlier task did is not done again. */
  reuse: boolean;
  /** Also when a run of this very file has not ended. */
  anew: boolean;
}

interface Run {
  client: Client;
  board: Board;
  show: Show;
  asks: Asks;
  isFast: boolean;
  /** Submitted just now. */
  isNew: boolean;
  stop: AbortController;
}

const RUN_ID_CHARS = 12;
const PAGE = 500;
const UNFINISHED = STATE_KINDS.filter((kind) => !(ENDED_KINDS as readonly string[]).includes(kind));

/** Runs all tasks to their end and gives the exit code. @throws AppError when they cannot be followed */
export async function runWorkflow(
  call: Call,
  { manifest, expanded }: ReadWorkflow,
  options: RunWorkflowOptions,
): Promise<number> {
  const client = await call.client();
  const asks = catchAsks();
  const stop = new AbortController();
  let show: Show | undefined;
  try {
    const { id, submitted } = await begun(client, { manifest, expanded }, options);
    const board = createBoard(submitted.tasks, levelsOf({ manifest, expanded }));
    show = createShow(call, { board, client, signal: stop.signal });
    asks.beforeLeaving(() => show?.close());
    const { isFast } = options;
    const run: Run = { client, board, show, asks, isFast, isNew: submitted.created, stop };
    await show.begin({ workflow: manifest.name, run: id, created: submitted.created });
    return await Promise.race([attend(run), obeyed(run), asks.hungUp.then(() => EXIT_HANGUP)]);
  } finally {
    stop.abort();
    show?.close();
    asks.release();
  }
}

interface Begun {
  id: string;
  submitted: SubmitView;
}

/** The tasks of a run of this very file that has not ended, or new ones. */
async function begun(
  client: Client,
  { manifest, expanded }: ReadWorkflow,
  { idempotencyKey, reuse, anew }: RunWorkflowOptions,
): Promise<Begun> {
  const digest = createHash('sha256').update(JSON.stringify(expanded.tasks)).digest('hex');
  const tags = { workflow: manifest.name, 'workflow-file': digest.slice(0, RUN_ID_CHARS) };
  const unfinished = anew || idempotencyKey !== undefined ? undefined : await lastRun(client, tags);
  if (unfinished !== undefined) return unfinished;
  const id = runId(idempotencyKey);
  const tasks = expanded.tasks.map((task) => ({
    ...task,
    reuse: task.reuse ?? reuse,
    tags: { ...tags, 'workflow-run': id, ...task.tags },
  }));
  return { id, submitted: await client.submit(tasks, { idempotencyKey }) };
}

/** The latest run with these tags, if it has not ended and all of it can still succeed. */
async function lastRun(client: Client, tags: Record<string, string>): Promise<Begun | undefined> {
  const tag = Object.entries(tags).map(([name, value]) => `${name}=${value}`);
  const { tasks: unfinished } = await client.list({ tag, state: UNFINISHED, limit: 1 });
  const id = unfinished[0]?.tags['workflow-run'];
  if (id === undefined) return undefined;
  const tasks: TaskView[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.list({ tag: [...tag, `workflow-run=${id}`], limit: PAGE, cursor });
    tasks.push(...page.tasks);
    cursor = page.cursor;
  } while (cursor !== undefined);
  const isHopeless = ({ ended, state }: TaskView): boolean =>
    (ended && state !== 'succeeded') || state === 'cancelling';
  if (tasks.some(isHopeless)) return undefined;
  return { id, submitted: { created: false, tasks: tasks.reverse() } };
}

/** By the names of the tasks as submitted. */
function levelsOf({ manifest, expanded }: ReadWorkflow): Map<string, number> {
  const levels = graphOf(manifest, expanded).flatMap(({ name, level }) =>
    (expanded.parts.get(name) ?? []).map((part): [string, number] => [part, level]),
  );
  return new Map(levels);
}

/** The same key must give the same tasks: their tag follows from it. */
function runId(key: string | undefined): string {
  if (key === undefined) return randomBytes(RUN_ID_CHARS / 2).toString('hex');
  return createHash('sha256').update(key).digest('hex').slice(0, RUN_ID_CHARS);
}

async function attend(run: Run): Promise<number> {
  const { board, show } = run;
  const since = run.isNew ? await beginning(run) : await present(run);
  let ended = await settled(run);
  let isCancelling = false;
  const { client, stop } = run;
  const options = { since, follow: true, signal: stop.signal, onReconnect: show.connection };
  const events = client.events(options)[Symbol.asyncIterator]();
  while (ended === undefined) {
    const next = await events.next();
    if (next.done === true) throw new Error('the events have ended before the tasks');
    await take(run, next.value);
    if (run.isFast && !isCancelling && board.rows.some(hasFailed)) {
      isCancelling = true;
      await cancelGroups(client, latestFirst(board));
    }
    ended = await settled(run);
  }
  await show.end(ended);
  return codeOf(run);
}

async function take(run: Run, event: EventView): Promise<void> {
  if (event.type === 'gap') await refresh(run, idsOf(run.board));
  await run.show.event(event, run.board.apply(event));
}

/** The failed ones once all have ended: asked for, since an event says less. */
async function settled(run: Run): Promise<TaskView[] | undefined> {
  const { board } = run;
  if (!board.rows.every(hasEnded)) return undefined;
  const views = await refresh(run, idsOf(board, hasFailed));
  return board.rows.every(hasEnded) ? views : undefined;
}

/** Just before the first one's submission: all were submitted at once. */
async function beginning({ client, board }: Run): Promise<number> {
  const task = board.rows[0]?.id ?? '';
  return surely(async () => {
    for await (const event of client.events({ task })) if ('seq' in event) return event.seq - 1;
    return 0;
  });
}

/** Tasks submitted before: what was is not told again, only how they stand. */
async function present(run: Run): Promise<number> {
  let last = await beginning(run);
  for await (const event of run.client.events({ since: last })) {
    if ('seq' in event) last = event.seq;
  }
  await refresh(run, idsOf(run.board));
  return last;
}

async function refresh({ client, board, show }: Run, ids: readonly string[]): Promise<TaskView[]> {
  const views = await getEach(client, ids);
  for (const view of views) {
    const row = board.refresh(view);
    if (row !== undefined) await show.change(row);
  }
  return views;
}

/** Never resolves; what Ctrl-C asks for is done, and seen in the events. */
async function obeyed(run: Run): Promise<never> {
  const { asks, board, client, show } = run;
  await asks.slow;
  await Promise.race([stopSlowly(run), asks.all]);
  await asks.all;
  show.say('cancelling all tasks; Ctrl-C once more leaves at once');
  await cancelGroups(client, latestFirst(board));
  return new Promise(() => {});
}

async function stopSlowly({ board, client, show }: Run): Promise<void> {
  const waiting = latestFirst(board, ({ state }) => NOT_STARTED.includes(state));
  show.say(
    `stopping: ${waiting.flat().length} tasks that have not started are cancelled, what runs goes on; Ctrl-C again cancels all`,
  );
  await cancelGroups(client, waiting);
}

/** Those that wait for others before these, so that none is told that what it waits for was cancelled. */
function latestFirst(board: Board, fits: (row: Row) => boolean = () => true): string[][] {
  const left = board.rows.filter((row) => !hasEnded(row) && fits(row));
  const levels = [...Map.groupBy(left, ({ level }) => level)].sort(([a], [b]) => b - a);
  return levels.map(([, rows]) => rows.map(({ id }) => id));
}

function idsOf({ rows }: Board, fits: (row: Row) => boolean = () => true): string[] {
  return rows.filter(fits).map(({ id }) => id);
}

function codeOf({ asks, board }: Run): number {
  if (asks.isAsked()) return EXIT_INTERRUPTED;
  return board.rows.some(hasFailed) ? EXIT_TASK_FAILED : EXIT_OK;
}
