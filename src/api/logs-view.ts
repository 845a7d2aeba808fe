/** Where the whole output of a failed task is: what prints it, and its files on the host. */
import type { TaskReport } from '../engine/service.ts';
import type { TaskView } from '../protocol/views.ts';

const FILES = ['stdout', 'stderr', 'runtime.log'];

export function logsOf({ task, remoteDir }: TaskReport): Pick<TaskView, 'logs'> {
  const { id, state } = task;
  if (!('failure' in state)) return {};
  const commands = [`towline logs ${id}`];
  // the runtime's own words are fetched from the host
  if (remoteDir !== undefined) commands.push(`towline logs ${id} --runtime`);
  const paths = remoteDir === undefined ? undefined : FILES.map((name) => `${remoteDir}/${name}`);
  return { logs: { commands, ...(paths !== undefined && { paths }) } };
}
