/** What a report is made of: the tasks of a run and their events, as the daemon has them. */
import type { Client } from '../../../client/client.ts';
import { AppError } from '../../../domain/failure.ts';
import type { EventView, TaskView } from '../../../protocol/views.ts';
import { makeReport, type Report } from '../../../workflow/report/report.ts';
import { forEach, getEach } from '../calls.ts';

const PAGE = 1000;

/** @throws WORKFLOW_RUN_UNKNOWN DAEMON_NOT_RUNNING */
export async function collectReport(client: Client, run: string): Promise<Report> {
  const listed = await tasksOf(client, run);
  if (listed.length === 0) {
    throw new AppError('WORKFLOW_RUN_UNKNOWN', `no task has the tag workflow-run=${run}`, {
      context: { run },
    });
  }
  // a list does not have the last words of those that failed
  const failed = listed.filter(({ failure }) => failure !== undefined).map(({ id }) => id);
  const whole = new Map((await getEach(client, failed)).map((view) => [view.id, view]));
  const events = new Map<string, EventView[]>();
  await forEach(
    listed.map(({ id }) => id),
    async (id) => {
      const told: EventView[] = [];
      for await (const event of client.events({ task: id })) told.push(event);
      events.set(id, told);
    },
  );
  const views = listed.map((view) => whole.get(view.id) ?? view);
  return makeReport(views, events, { run, now: Date.now() });
}

/** In the order of their submission; a list gives the newest first. */
async function tasksOf(client: Client, run: string): Promise<TaskView[]> {
  const tasks: TaskView[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.list({ tag: [`workflow-run=${run}`], limit: PAGE, cursor });
    tasks.push(...page.tasks);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return tasks.reverse();
}
