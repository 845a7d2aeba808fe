/** What a person sees of a task in the table: how it ended, and before that what it waits for. */
import { expect, it } from 'vitest';
import { taskTable } from '../../../src/cli/output/task-list.ts';
import type { TaskView } from '../../../src/protocol/views.ts';

const AT = '2026-01-01T00:00:00.000Z';

function row(changes: object): string {
  const task = { id: 't1', state: 'running', attempt: 1, host: 'vm', submittedAt: AT, asked: {} };
  const view = { ...task, command: ['true'], ...changes } as unknown as TaskView;
  return taskTable([view], Date.parse(AT), 200).split('\n')[1] ?? '';
}

it('says why a task waits, though it counts as running, until its host can be seen again', () => {
  const blocked = { host: 'vm', reason: 'SSH_HOST_UNREACHABLE', message: '', hint: '', since: AT };
  expect(row({ blocked })).toMatch(/^t1 +running +vm .* SSH_HOST_UNREACHABLE +- +true$/);
  expect(row({})).toMatch(/^t1 +running +vm .* - +- +true$/);
});

it('says how it ended rather than what it waited for', () => {
  expect(row({ state: 'succeeded', exitCode: 0 })).toMatch(/ 0 +- +true$/);
  expect(row({ state: 'error', failure: { code: 'IMAGE_NOT_FOUND' } })).toMatch(/IMAGE_NOT_FOUND/);
});
