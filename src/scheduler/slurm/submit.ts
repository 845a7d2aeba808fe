/**
 * One `sbatch`, and what its answer means. An id that was printed counts, whatever else was said (sisyphus #156
 * threw away an id for a warning and submitted again); no id is an answer only where Slurm says that it refuses.
 */
import { AppError } from '../../domain/failure.ts';
import type { SubmitReply } from '../../script/submit-job.ts';
import type { Submission, SubmitVerdict } from '../scheduler.ts';
import { jobComment } from './job-name.ts';

/** What `--parsable` prints: `12`, in a federation `12;cluster`. Banners of the site stand on other lines. */
export const ID_LINE = '\\([0-9][0-9]*\\)\\(;[A-Za-z0-9_.-]*\\)*';

/** The words that submit job.sh; those of the task come last but for what the launch protocol needs. */
export function submitCommand({
  request,
  name,
  count,
  walltimeMs,
  comment,
  directory,
}: Submission): string[] {
  const log = count > 1 ? 'log-%a' : 'log';
  return [
    'sbatch',
    ...(comment === undefined ? [] : [`--comment=${jobComment(comment)}`]),
    ...request.args,
    ...(walltimeMs === undefined ? [] : [`--time=${Math.ceil(walltimeMs / 60_000)}`]),
    '--parsable',
    '--no-requeue',
    '--open-mode=append',
    ...(count > 1 ? [`--array=0-${count - 1}`] : []),
    `--job-name=${name}`,
    `--chdir=${directory}`,
    `--output=${log}`,
    `--error=${log}`,
    'job.sh',
  ];
}

/** Slurm did not say no: it could not be asked, or did not answer in time (sbatch tries for two minutes itself). */
const UNSURE =
  /timed out|timeout|unable to contact|connection (refused|reset|timed)|communication|zero bytes|socket|temporarily unable|transmi|slurm_receive_msg|i\/o error|no route|unexpected message|protocol|try again|node configuration changed|in the process of|munge|credential|authentication/i;

/** There is no room for it now: the limits of the account and of the queue. */
const FULL =
  /job violates accounting\/qos policy|MaxSubmit|maximum number of jobs|MaxJobCount|Slurm temporarily|job\/step limit|too many|reached/i;

/** Judges what the submitting command said. */
export function judgeSubmit(
  { code, id, stdout, stderr }: SubmitReply,
  host: string,
): SubmitVerdict {
  if (id !== undefined) return { kind: 'accepted', id };
  const said = ownWords(`${stdout}\n${stderr}`);
  const context = { host };
  const error = (...[name, why]: [ConstructorParameters<typeof AppError>[0], string]) =>
    new AppError(name, why, { context });
  if (code === 127)
    return {
      kind: 'refused',
      error: error('SLURM_MISSING', `sbatch is not on the PATH of ${host}`),
    };
  if (code === 124 || code === 137)
    return {
      kind: 'unsure',
      error: error('SLURM_UNAVAILABLE', `sbatch on ${host} did not answer in time`),
    };
  if (FULL.test(said))
    return {
      kind: 'refused',
      error: error('SLURM_FULL', `Slurm on ${host} takes no more jobs just now: ${said}`),
    };
  if (code === 0 || said === '' || UNSURE.test(said))
    return {
      kind: 'unsure',
      error: error('SLURM_UNAVAILABLE', `sbatch on ${host} gave no id (code ${code}): ${said}`),
    };
  return {
    kind: 'refused',
    error: error('SLURM_REFUSED', `Slurm on ${host} refused the job: ${said}`),
  };
}

/** The lines of sbatch, without what a site prints around them: only they say that nothing was accepted. */
function ownWords(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => /sbatch|slurm/i.test(line))
    .slice(-5)
    .join('; ')
    .slice(-600);
}
