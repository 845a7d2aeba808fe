/** In which job an attempt was to run, by the files of its batch (job.ts): told before whatever else is answered. */
import { z } from 'zod';
import { parseValue, splitReply } from './reply.ts';

export interface NotedJob {
  batch: string;
  index: number;
  /** Absent: it is not known whether it was submitted. */
  id?: string | undefined;
  /** The job runs others, too, one after the other. */
  pilot: boolean;
}

/** Prints `@ job BATCH INDEX ID PILOT`, in the directory of an attempt that was noted. */
export const TELL_JOB = `tell_job() {
  noted='' id='' pilot=0
  [ -s job ] && read -r noted <job
  [ -n "$noted" ] || return 0
  batch=../.jobs/\${noted%% *}
  [ ! -s "$batch/id" ] || read -r id <"$batch/id"
  [ ! -e "$batch/pilot" ] || pilot=1
  echo "@ job $noted \${id:--} $pilot"
}`;

const notedSchema = z.object({
  batch: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
  index: z.coerce.number().int().nonnegative(),
  id: z.string().regex(/^\d+$/).optional(),
  pilot: z.enum(['0', '1']).transform((flag) => flag === '1'),
});

/** Takes that line out of a reply. @throws HOST_REPLY_INVALID */
export function takeNotedJob(output: string): { rest: string; job?: NotedJob } {
  const line = splitReply(output).lines.find(({ verb }) => verb === 'job');
  if (line === undefined) return { rest: output };
  const [batch, index, id, pilot] = line.rest.split(' ');
  const noted = { batch, index, id: id === '-' ? undefined : id, pilot };
  return { rest: output.replace(/^@ job .*\n/m, ''), job: parseValue(notedSchema, noted, 'job') };
}
