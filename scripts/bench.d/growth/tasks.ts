/** Tasks in the queue, from ten to a hundred thousand. */
import { quantile } from '../measure.ts';
import { queueUp } from '../queued-tasks.ts';
import type { Growth } from './growth.ts';

const COUNTS = [10, 100, 1_000, 10_000, 100_000];

export async function growTasks(): Promise<Growth> {
  const points = [];
  for (const at of COUNTS) {
    const { seconds, empty, settled, pages } = await queueUp(at);
    const values = [
      seconds * 1_000,
      settled,
      Math.max(0, settled - empty) / at,
      quantile(pages, 0.5),
    ];
    points.push({ at, values });
  }
  return {
    name: 'growth-tasks',
    what: 'Tasks in the queue of a host that is paused, submitted by one client, a thousand at a time; each size on a daemon of its own.',
    along: { label: 'tasks', unit: 'count' },
    series: [
      { label: 'time to submit all', unit: 'ms' },
      { label: 'resident', unit: 'bytes' },
      { label: 'of it for each task', unit: 'bytes' },
      { label: 'a page of 100, median', unit: 'ms' },
    ],
    points,
  };
}
