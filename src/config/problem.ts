/** What is wrong with a configuration and where: what every stage of the room collects. */
import type { ErrorCode } from '../domain/failure.ts';

/** A line of a file, counted from 1. */
export interface Place {
  file: string;
  line: number;
}

/** One thing to mend. Without a place the value came from a default or from the environment. */
export interface Problem {
  code: ErrorCode;
  place?: Place | undefined;
  section?: string | undefined;
  key?: string | undefined;
  /** Continues "section, key:"; ends without a full stop. */
  what: string;
}

/** Control characters (but the tab) and line separators: no value and no line may hold one. */
// oxlint-disable-next-line no-control-regex -- finding control characters is the purpose
export const CONTROL_CHARACTER = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/;
