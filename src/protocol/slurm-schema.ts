/** What a task asks of Slurm: the shape as written, and what its words may be. */
import { z } from 'zod';
import {
  ACCOUNT,
  CONSTRAINT,
  PARTITION,
  QOS,
  SLURM_NAMES,
  sbatchWordProblem,
} from '../domain/slurm/sbatch-words.ts';
import * as limits from './limits.ts';

const named = (pattern: RegExp, what: string) =>
  z.string().regex(pattern, `is not ${what}`).optional();
const word = z.string().check((parsed) => {
  const message = sbatchWordProblem(parsed.value);
  if (message !== undefined) parsed.issues.push({ code: 'custom', message, input: parsed.value });
});

export const slurmSchema = z
  .strictObject({
    partition: named(PARTITION, SLURM_NAMES.partition),
    account: named(ACCOUNT, SLURM_NAMES.account),
    qos: named(QOS, SLURM_NAMES.qos),
    constraint: named(CONSTRAINT, SLURM_NAMES.constraint),
    nodes: z.int().min(1).max(limits.NODES_MAX).optional(),
    ntasksPerNode: z.int().min(1).max(limits.NODES_MAX).optional(),
    short: z.boolean().optional().describe('It is for the partition of short tasks.'),
    fpga: z.boolean().optional().describe('It is for the partition with FPGAs.'),
    args: z
      .array(word)
      .max(limits.SBATCH_ARGS_MAX)
      .optional()
      .describe('Further options of sbatch, each --name=value.'),
  })
  .describe('What only a host with scheduler = slurm can give.');

/** The same as it is told: whatever another version let through. */
export const slurmAskView = z.object({
  partition: z.string().optional(),
  account: z.string().optional(),
  qos: z.string().optional(),
  constraint: z.string().optional(),
  nodes: z.number().optional(),
  ntasksPerNode: z.number().optional(),
  short: z.boolean().optional(),
  fpga: z.boolean().optional(),
  args: z.array(z.string()).optional(),
});
