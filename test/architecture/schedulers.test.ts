/**
 * Goal: another scheduler is one folder beside scheduler/slurm. Method: no source but those of that folder, the
 * configuration's and the words in which a user asks may name Slurm or a command of it; the scan is shown planted ones.
 */
import { expect, it } from 'vitest';
import { readSources, type Source } from './sources.ts';

const WORDS = /\b(slurm|sbatch|squeue|scancel|scontrol|sacct|sstat|srun)\b/i;
/** Errors have one registry, and codes are the same words for whoever throws and whoever reads them. */
const CODES = /\bSLURM_[A-Z_*]+/g;

const KNOWS = [/^scheduler\/slurm\//, /^config\//, /^domain\/slurm\//, /^host-settings\.ts$/];

/** `slurm` of a task: what a user asks for in the words of Slurm, carried to the scheduler as it is. */
const CARRIES = [
  'api/task-view.ts',
  'cli/commands/script.ts',
  'cli/task-options.ts',
  'domain/error-registry.ts',
  'domain/task.ts',
  'engine/no-host-fits.ts',
  'engine/refusals.ts',
  'protocol/parse-spec.ts',
  'protocol/slurm-schema.ts',
  'protocol/spec-schema.ts',
  'protocol/tes/backend.ts',
  'protocol/views.ts',
  'store/spec-schema.ts',
];

function named({ path, text }: Source): string[] {
  if (KNOWS.some((place) => place.test(path)) || CARRIES.includes(path)) return [];
  return text
    .split('\n')
    .flatMap((line, index) =>
      WORDS.test(line.replaceAll(CODES, '')) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
    );
}

it.each([
  ["import { createSlurm } from '../scheduler/slurm/slurm.ts';", 1],
  ["if (policy.scheduler === 'slurm') return;", 1],
  ["const text = 'squeue --me';", 1],
  ["throw new AppError('SLURM_FULL', text);\n/** @throws SLURM_* */", 0],
  ['const hasRuntimeText = isQueued;', 0],
])('of %j the scan tells %i', (text, count) => {
  expect(named({ path: 'engine/x.ts', text })).toHaveLength(count);
});

it('nothing else knows that it is Slurm', () => {
  const sources = readSources();
  expect(sources.flatMap(named)).toEqual([]);
  const paths = sources.map(({ path }) => path);
  expect(CARRIES.filter((path) => !paths.includes(path))).toEqual([]);
});
