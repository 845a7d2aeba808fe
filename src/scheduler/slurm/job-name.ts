/** What jobs are called. The name is how a job is found again; what people call the task is only shown. */
import { safeName } from '../../script/layout.ts';

/** Slurm's accounting keeps 255 bytes of a text; some of its tables cut earlier. */
const COMMENT_BYTES_MAX = 200;

/** The name of the job of a token: unique as that is, and never cut. @throws TASK_INVALID on a token that is no plain name */
export function jobName(prefix: string, token: string): string {
  return safeName(`${prefix}-${token}`);
}

/** The name of a task as a comment of its job: whole characters, as many as fit. */
export function jobComment(name: string): string {
  let bytes = 0;
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(name)) {
    bytes += Buffer.byteLength(segment);
    if (bytes > COMMENT_BYTES_MAX) break;
    kept += segment;
  }
  return kept;
}
