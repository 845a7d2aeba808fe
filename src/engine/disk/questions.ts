/** What goes between the daemon and the thread of the disk. */
import type { ErrorCode, ErrorContext } from '../../domain/failure.ts';
import type { Acts } from './acts.ts';

export interface Question {
  id: number;
  act: keyof Acts;
  input: readonly unknown[];
}

export type Answer = { id: number; value: unknown } | { id: number; error: ToldError };

export interface ToldError {
  message: string;
  /** As the file system said it. */
  errno?: string | undefined;
  /** Of the one in a list that failed. */
  index?: number | undefined;
  own?: { code: ErrorCode; context: ErrorContext } | undefined;
}
