/**
 * A text that runs where a job runs, as one more step of it: `--overlap` shares what the job has, so that it need
 * not wait for the job's own step to end. Streams and exit code pass through srun as they are.
 */
import { quote } from '../../script/quote.ts';
import type { JobRef } from '../scheduler.ts';

/** Gives the text for the login node. */
export function withinText({ id }: Pick<JobRef, 'id'>, text: string, tty: boolean): string {
  const options = ['--overlap', '--ntasks=1', '--nodes=1', '--chdir=/', '--quiet'];
  if (tty) options.push('--pty');
  return `exec srun --jobid=${quote(id)} ${options.join(' ')} /bin/sh -c ${quote(text)}`;
}
