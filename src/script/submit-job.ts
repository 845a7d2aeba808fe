/** Publishes a batch and has it submitted, in one run. */
import { z } from 'zod';
import { batches } from './batches.ts';
import { type Batch, type JobVariables, jobScript, mapText } from './job.ts';
import { attemptsDir, ROOT_MARKER, safeName } from './layout.ts';
import { quote, quoteAll, quoteSparingly } from './quote.ts';
import { hexText } from './records.ts';
import { onlyLine, parseValue, replyInvalid, stepFailed } from './reply.ts';
import { HEX, LIMITED } from './scheduler-tools.ts';

export interface SubmitPlan extends Batch {
  /** New for each try. */
  nonce: string;
  variables: JobVariables;
  /** The words that submit job.sh in the directory of the batch; what they print tells the id. */
  command: readonly string[];
  /** A basic regular expression of the whole line that tells the id, which is its first group. */
  idLine: string;
  /** Lines of the site that make the command known. */
  setup: readonly string[];
  /** Variables of the account that would change what is submitted. */
  unset: readonly string[];
  /** How long the command may take, in seconds. */
  timeoutS: number;
}

/**
 * Gives the text that publishes a batch and submits it, once. That it is to be submitted is noted with every
 * attempt before, and its id beside it after, so that whoever looks later knows what to ask the scheduler for.
 */
export function submitText(plan: SubmitPlan): string {
  const batch = safeName(plan.batch);
  const part = `.jobs/.${batch}.${safeName(plan.nonce)}`;
  const files = [
    ['map', mapText(plan)],
    ['job.sh', jobScript(plan, plan.variables)],
    ['command', `${quoteSparingly(plan.command)}\n`],
    ...(plan.pilot ? ([['pilot', '']] as const) : []),
  ] as const;
  return [
    '# shellcheck disable=SC2016,SC1003 # words of a job are not for this shell to expand',
    LIMITED,
    HEX,
    ...plan.setup,
    `fail() {
  rm -rf ${quote(part)}
  echo "@ failed $1"
  exit 0
}`,
    `if ! cd ${quote(attemptsDir(plan))} || ! [ -r ${quote(`${plan.root}/${ROOT_MARKER}`)} ]; then fail no-root; fi`,
    'umask 077',
    `mkdir -p ${quote(part)} || fail no-directory`,
    ...files.map(
      ([name, content]) =>
        `printf %s ${quote(content)} >${quote(`${part}/${name}`)} || fail no-file`,
    ),
    `{ sync ${quote(part)}/* ${quote(part)} || sync; } 2>/dev/null`,
    `mv ${quote(part)} .jobs/${batch} || fail no-directory`,
    'at=0',
    'note() {\n  for T; do\n' +
      `    if [ -d "$T" ] && printf '%s\\n' "${batch} $at" >"$T/.job"; then mv "$T/.job" "$T/job"; fi\n` +
      '    at=$((at + 1))\n  done\n}',
    ...batches(plan.tasks.map(({ token }) => safeName(token))).map(
      (some) => `note ${some.join(' ')}`,
    ),
    `cd .jobs/${batch} || fail no-directory`,
    ...plan.unset.map((name) => `unset ${name}`),
    `limited ${plan.timeoutS} ${quoteAll(plan.command)} </dev/null >out 2>err`,
    'code=$?',
    `id=$(sed -n ${quote(`s/^${plan.idLine}$/\\1/p`)} out | tail -n 1)`,
    `if [ -n "$id" ]; then printf '%s\\n' "$id" >.id && mv .id id; fi`,
    'echo "@ submitted $code ${id:--} $(hex_of out) / $(hex_of err)"',
  ].join('\n');
}

/** What the submitting command said, whatever that means. */
export interface SubmitReply {
  code: number;
  id?: string | undefined;
  stdout: string;
  stderr: string;
}

const submittedSchema = z.object({
  code: z.coerce.number().int(),
  id: z.string().regex(/^\d+$/).optional(),
});

/** Reads the reply of a submit. @throws HOST_*; SLURM_UNAVAILABLE by what the scheduler says */
export function parseSubmit(output: string): SubmitReply {
  const { verb, rest, noise } = onlyLine('submit', output);
  if (verb === 'failed') throw stepFailed('submit', rest, noise);
  if (verb !== 'submitted')
    throw replyInvalid('submit', `unknown word ${JSON.stringify(verb)}`, noise);
  const [head = '', err = ''] = rest.split(' / ');
  const [code, id, ...out] = head.split(' ');
  const told = parseValue(submittedSchema, { code, id: id === '-' ? undefined : id }, 'submit');
  return { ...told, stdout: hexText(out.join(' ')), stderr: hexText(err) };
}
