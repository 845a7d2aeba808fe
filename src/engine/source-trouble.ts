/** Tells the trouble of the host that sends a file from that of the host that wants it. */
import { type AppError, toAppError } from '../domain/failure.ts';

/** What went wrong on the host that was to send: the next one may do. */
export class SourceTrouble extends Error {
  readonly error: AppError;
  constructor(error: AppError) {
    super(error.message);
    this.error = error;
  }
}

export async function atSource<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    throw new SourceTrouble(toAppError(thrown));
  }
}
