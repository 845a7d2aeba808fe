/** Ways to make sure that a promise settles whatever the far side does. */
import { AppError } from '../domain/failure.ts';

/**
 * Settles like `work`, or rejects with `late()` when `ms` pass first. The work itself goes on
 * unwatched, so its maker must be able to bear an answer that nobody wants any more.
 */
export function withDeadline<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * As withDeadline, but time does not count while `paused` says so, as when a person is being asked.
 * The deadline may come up to `ms` late.
 */
export function withPatience<T>(
  work: Promise<T>,
  ms: number,
  { late, paused }: { late: () => Error; paused: () => boolean },
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      timer = setTimeout(() => (paused() ? arm() : reject(late())), ms);
    };
    arm();
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * Settles like `work`, or rejects at once when the signal fires.
 * @throws HOST_CALL_ABORTED
 */
export function withSignal<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const give = (): void => reject(abortError(signal));
    if (signal.aborted) give();
    signal.addEventListener('abort', give, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
  });
}

/** @throws HOST_CALL_ABORTED when the signal has fired already. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

/** Marks a promise as watched elsewhere, so that its rejection is not reported as unhandled. */
export function watchedElsewhere(work: Promise<unknown>): void {
  work.catch(() => {});
}

function abortError(signal: AbortSignal): AppError {
  const { reason } = signal as { reason: unknown };
  const words = reason instanceof Error ? reason.message : String(reason);
  return new AppError('HOST_CALL_ABORTED', `given up before the host answered: ${words}`, {
    cause: reason,
  });
}
