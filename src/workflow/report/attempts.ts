/** The attempts of a task, each with the time it spent in each state, from the events about it. Pure. */
import { z } from 'zod';
import { ENDED_KINDS } from '../../domain/state.ts';
import { failureView } from '../../protocol/failure-view.ts';
import type { EventView, TaskView } from '../../protocol/views.ts';

/** Some time in one state; times are milliseconds since the epoch. */
export interface Stretch {
  state: string;
  from: number;
  to: number;
  /** The code of what it had to wait for meanwhile. */
  blocked?: string | undefined;
}

type Usage = NonNullable<TaskView['usage']>;
type Failure = NonNullable<TaskView['failure']>;

export interface Attempt {
  attempt: number;
  host?: string | undefined;
  /** Undefined: it has not ended. */
  result?: string | undefined;
  exitCode?: number | undefined;
  failure?: Failure | undefined;
  usage?: Usage | undefined;
  /** In inputs that were made to be there, and in outputs that were fetched. */
  stagedBytes?: number | undefined;
  collectedBytes?: number | undefined;
  stretches: Stretch[];
}

type TaskEvent = Extract<EventView, { type: 'event' }>;

const count = z.number().optional().catch(undefined);
const usage = z.object({
  wallMs: z.number(),
  cpuUserMs: z.number(),
  cpuSystemMs: z.number(),
  maxRssBytes: count,
});
/** What is read of an event's data; what does not fit is not known. */
const eventData = z.object({
  host: z.string().optional().catch(undefined),
  bytes: count,
  outputs: z
    .array(z.object({ bytes: z.number() }))
    .optional()
    .catch(undefined),
  blocked: z.object({ reason: z.string() }).optional().catch(undefined),
  end: z
    .object({
      result: z.string(),
      code: count,
      failure: failureView.optional().catch(undefined),
      usage: usage.optional().catch(undefined),
      again: z.boolean().optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

/** Oldest first; what has not ended goes on until `now`. */
export function attemptsOf(events: readonly EventView[], now: number): Attempt[] {
  const story = new Story();
  for (const event of events) if (event.type === 'event') story.take(event);
  return story.end(now);
}

const hasEnded = (state: string): boolean => (ENDED_KINDS as readonly string[]).includes(state);

class Story {
  private readonly attempts = new Map<number, Attempt>();
  private open: (Omit<Stretch, 'to'> & { attempt: number }) | undefined;
  /** Attempts whose remains are removed at once, with when they ended. */
  private readonly cleaning = new Map<number, number>();

  take(event: TaskEvent): void {
    const at = Date.parse(event.at);
    const data = eventData.parse(event.data);
    if (event.kind === 'gc-asked') this.cleaning.delete(event.attempt);
    if (event.kind === 'cleaned') return this.cleaned(event.attempt, at);
    // what comes of an attempt that another one followed is no news of the task
    if (event.attempt < (this.open?.attempt ?? 0)) return;
    this.note(event, data);
    if (data.end !== undefined) this.cleaning.set(event.attempt, at);
    const attempt = data.end?.again === true ? event.attempt + 1 : event.attempt;
    const { state } = event;
    const blocked = data.blocked?.reason;
    const { open } = this;
    const isSame = open?.attempt === attempt && open.state === state && open.blocked === blocked;
    if (isSame || (hasEnded(open?.state ?? '') && hasEnded(state))) return;
    this.close(at);
    this.open = { attempt, state, from: at, blocked };
    this.attempt(attempt);
  }

  end(now: number): Attempt[] {
    this.close(now);
    return [...this.attempts.values()].sort((a, b) => a.attempt - b.attempt);
  }

  private note(event: TaskEvent, data: z.infer<typeof eventData>): void {
    const attempt = this.attempt(event.attempt);
    if (event.kind === 'placed') attempt.host = data.host;
    if (event.kind === 'staged') attempt.stagedBytes = data.bytes;
    if (event.kind === 'collected') attempt.collectedBytes = sumOf(data.outputs);
    if (data.end === undefined) return;
    const { result, code: exitCode, failure, usage: used } = data.end;
    Object.assign(attempt, { result, exitCode, failure, usage: used });
  }

  private cleaned(attempt: number, at: number): void {
    const from = this.cleaning.get(attempt);
    if (from !== undefined)
      this.attempt(attempt).stretches.push({ state: 'cleaning', from, to: at });
    this.cleaning.delete(attempt);
  }

  private close(at: number): void {
    if (this.open === undefined || hasEnded(this.open.state)) return;
    const { attempt, ...stretch } = this.open;
    // clocks may be set back
    const to = Math.max(at, stretch.from);
    if (to > stretch.from) this.attempt(attempt).stretches.push({ ...stretch, to });
  }

  private attempt(number: number): Attempt {
    const known = this.attempts.get(number) ?? { attempt: number, stretches: [] };
    this.attempts.set(number, known);
    return known;
  }
}

function sumOf(outputs: readonly { bytes: number }[] | undefined): number | undefined {
  return outputs?.reduce((sum, { bytes }) => sum + bytes, 0);
}
