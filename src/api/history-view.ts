/** Earlier attempts of a task as shown. */
import type { PastAttempt } from '../domain/task.ts';
import type { TaskView } from '../protocol/views.ts';
import { failureView, iso } from './view-parts.ts';

export function historyView(history: readonly PastAttempt[]): NonNullable<TaskView['history']> {
  return history.map(({ attempt, result, host, image, exit, failure, finishedAt }) => ({
    attempt,
    result,
    ...(host !== undefined && { host }),
    ...(image !== undefined && { image: image.reference }),
    ...(image?.digest !== undefined && { imageDigest: image.digest }),
    ...(exit?.code !== undefined && { exitCode: exit.code }),
    ...(exit?.limit !== undefined && { limit: exit.limit }),
    ...(failure !== undefined && { failure: failureView(failure) }),
    ...(exit?.usage !== undefined && { usage: { ...exit.usage } }),
    finishedAt: iso(finishedAt),
  }));
}
