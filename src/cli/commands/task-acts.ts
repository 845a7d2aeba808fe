/** towline cancel, retry, hold, release: one act on one or more tasks. */
import type { Command } from 'commander';
import { AppError, toAppError } from '../../domain/failure.ts';
import type { TaskView } from '../../protocol/views.ts';
import { type Call, type Cli, onAction } from '../call.ts';
import { printJson } from '../output/json.ts';

type Act = 'cancel' | 'retry' | 'hold' | 'release';

export const addCancel = adder('cancel', 'end tasks; nothing of them runs on', {
  wait: 'wait until nothing of them runs any more',
});
export const addRetry = adder('retry', 'start a new attempt of ended tasks', {});
export const addHold = adder('hold', 'keep waiting tasks from starting', {});
export const addRelease = adder('release', 'let held tasks start', {});

function adder(act: Act, summary: string, extra: { wait?: string }) {
  return (program: Command, cli: Cli): void => {
    const command = program
      .command(act)
      .summary(summary)
      .description(
        `${summary[0]?.toUpperCase()}${summary.slice(1)}. Prints the id and new state of each.`,
      )
      .argument('<id...>', 'ids of tasks, or their beginnings');
    if (extra.wait !== undefined) command.option('--wait', extra.wait);
    onAction<{ wait?: boolean }>(command, cli, (call) => actOnAll(call, act));
  };
}

/** Acts on every task; the first failure is told after the others were done. */
async function actOnAll(call: Call<{ wait?: boolean }>, act: Act): Promise<void> {
  const client = await call.client();
  const results = await Promise.allSettled(
    call.args.map(async (id) => {
      const task = await client[act](id);
      return call.options.wait === true ? client.wait(task.id) : task;
    }),
  );
  const tasks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (call.json) await printJson(call.io, { tasks });
  else await call.io.out.write(tasks.map(line).join(''));
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason] : [],
  );
  if (failures.length > 0) throw firstOf(failures.map(toAppError));
}

function firstOf(errors: AppError[]): AppError {
  const [first] = errors;
  if (first === undefined || errors.length === 1)
    return first ?? new AppError('INTERNAL', 'no error');
  const message = errors.map((error) => error.message).join('\n');
  return new AppError(first.code, message, { context: first.context });
}

function line(task: TaskView): string {
  return `${task.id} ${task.state}\n`;
}
