/**
 * Goal: nothing that a task or a configuration says becomes more than one word for sbatch, or another option
 * than it looks like. Method: random requests, through quote and every sh there is, into a program that tells
 * its arguments.
 */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '../../src/domain/failure.ts';
import type { SlurmAsk } from '../../src/domain/task.ts';
import { parseSpec } from '../../src/protocol/parse-spec.ts';
import { jobRequest } from '../../src/scheduler/slurm/request.ts';
import { quoteAll } from '../../src/script/quote.ts';
import { SHELLS } from '../support/shells.ts';
import { aPolicy } from '../unit/scheduler/slurm/policy.ts';
import { HOSTILE_WORDS } from '../unit/script/samples.ts';

const text = fc.oneof(
  fc.constantFrom(
    ...HOSTILE_WORDS,
    'x --wrap=id',
    'x\n#SBATCH --wrap=id',
    '--wrap=id',
    'main',
    'a,b',
  ),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
);
const value = fc.oneof({ weight: 3, arbitrary: fc.constantFrom('a', 'b1', 'a&b', 'x.y') }, text);
const word = fc.oneof(
  { weight: 3, arbitrary: text.map((said) => `--comment=${said}`) },
  { weight: 2, arbitrary: text.map((said) => `--exclude=${said}`) },
  text,
);
const slurm: fc.Arbitrary<SlurmAsk> = fc.record(
  {
    partition: value,
    account: value,
    qos: value,
    constraint: value,
    nodes: fc.integer({ min: 1, max: 9 }),
    args: fc.array(word, { maxLength: 3 }),
  },
  { requiredKeys: [] },
);

/** The words of a task that was let through, as from the door on. */
function wordsOf(asked: SlurmAsk): readonly string[] | undefined {
  try {
    const spec = parseSpec({ image: 'docker://mini:1', command: ['true'], cpus: 2, slurm: asked });
    return jobRequest(spec, aPolicy({ partitionGpu: 'gpu' })).args;
  } catch (error) {
    if (isAppError(error) && error.code === 'TASK_INVALID') return undefined;
    throw error;
  }
}

/** What sbatch must be told by nobody else, not even shortened. */
const NEEDED = [
  ...['parsable', 'no-requeue', 'requeue', 'wrap', 'array', 'job-name', 'output', 'error'],
  ...['open-mode', 'dependency', 'export', 'chdir', 'test-only', 'hold', 'wait', 'input'],
];
const meansNeeded = (word: string): boolean =>
  NEEDED.some((name) => name.startsWith(/^--([^=]*)/.exec(word)?.[1] ?? ''));

describe.each(SHELLS)('%s %s', (...shell) => {
  const [program = 'sh', ...args] = shell.filter((part) => part !== undefined);

  it('any request arrives as the words it is made of, all of them options', () => {
    let taken = 0;
    fc.assert(
      fc.property(slurm, (asked) => {
        const words = wordsOf(asked);
        fc.pre(words !== undefined);
        taken += 1;
        const script = `sbatch() { printf '%s\\0' "$@"; }\nsbatch ${quoteAll(words)}`;
        const { stdout, stderr } = spawnSync(program, args, { input: script, encoding: 'utf8' });
        expect(stdout.split('\0').slice(0, -1)).toEqual(words);
        expect(stderr).toBe('');
        for (const one of words) expect(one).toMatch(/^--[a-z][a-z-]*(=.|$)/su);
        expect(words.filter(meansNeeded)).toEqual([]);
      }),
      { numRuns: 60 },
    );
    expect(taken).toBeGreaterThan(20);
  });
});
