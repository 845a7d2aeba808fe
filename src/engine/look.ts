/** What one look at an attempt means for its streams and for whoever asks what it waits for. Pure. */
import { AppError } from '../domain/failure.ts';
import type { LaunchRecord } from '../domain/state.ts';
import type { StreamName } from '../domain/task.ts';
import type { AttemptFacts } from '../script/status.ts';
import type { Verdict } from '../script/verdict.ts';

/** How much of each stream can be read. A size may be older than the exit record; reading opens the file anew. */
export function sizesOf({
  stdoutBytes,
  stderrBytes,
  exit,
}: AttemptFacts): Record<StreamName, number> {
  return {
    stdout: Math.max(stdoutBytes ?? 0, exit?.stdoutBytes ?? 0),
    stderr: Math.max(stderrBytes ?? 0, exit?.stderrBytes ?? 0),
  };
}

/** Unknown is a state to wait in, and whoever looks at the task reads what it waits for. */
export function unseen(
  launch: LaunchRecord | undefined,
  verdict: Verdict,
  host: string,
): AppError | undefined {
  if (verdict.kind !== 'unknown' || launch === undefined) return undefined;
  const why = `of the attempt on ${host} nothing can be said just now: ${verdict.why}`;
  return new AppError('HOST_ROOT_UNAVAILABLE', why, { context: { host } });
}
