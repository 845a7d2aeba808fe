/** Parts that several views share. */
import type { FailureRecord } from '../domain/failure.ts';
import type { TaskView } from '../protocol/views.ts';

type FailureView = NonNullable<TaskView['failure']>;

/** Milliseconds since the epoch as ISO 8601 in UTC. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** A failure as shown: context without the values that are not known. */
export function failureView({ code, message, hint, context }: FailureRecord): FailureView {
  const known = Object.entries(context).filter(([, value]) => value !== undefined);
  return { code, message, hint, context: Object.fromEntries(known) as Record<string, string> };
}
