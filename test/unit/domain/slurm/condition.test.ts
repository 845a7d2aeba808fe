/**
 * Goal: a condition says what it says, and a mistake is told where it is. Method: tables of texts, and random
 * conditions written and read again and judged against plain JavaScript.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Amounts,
  type Condition,
  formatCondition,
  holds,
  OPERATORS,
  SUBJECTS,
  type Subject,
} from '../../../../src/domain/slurm/condition.ts';
import { parseCondition } from '../../../../src/domain/slurm/parse-condition.ts';

const GIB = 2 ** 30;
const HOUR_MS = 3_600_000;

function judge(text: string, amounts: Amounts): boolean | undefined {
  const parsed = parseCondition(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return holds(parsed.value, amounts);
}

describe('a condition', () => {
  const task = { cpus: 1.5, gpus: 2, memory: 64 * GIB, time: 12 * HOUR_MS };

  it.each([
    ['gpus > 0', true],
    ['gpus>0 and memory>=64GiB', true],
    ['gpus > 0 and memory >= 64 GiB and time > 12h', false],
    ['memory > 64GB', true],
    ['time <= 12:00:00', true],
    ['time < 11h59m', false],
    ['cpus = 1.5', true],
    ['cpus == 1.5', true],
    ['cpus != 1.5', false],
    ['not gpus > 2', true],
    ['not not gpus > 2', false],
    ['gpus > 2 or cpus < 2 and time < 1h', false],
    ['(gpus > 2 or cpus < 2) and time < 1d', true],
    ['not (gpus > 2 or cpus < 2)', false],
  ])('%s is %s', (text, expected) => {
    expect(judge(text, task)).toBe(expected);
  });

  it.each([
    ['memory > 1GiB', undefined],
    ['not memory > 1GiB', undefined],
    ['memory > 1GiB or gpus > 0', true],
    ['memory > 1GiB or gpus > 4', undefined],
    ['memory > 1GiB and gpus > 4', false],
    ['memory > 1GiB and gpus > 0', undefined],
  ])('where memory is not asked for, %s is %s', (text, expected) => {
    expect(judge(text, { gpus: 2 })).toBe(expected);
  });

  it.each([
    ['', 'at character 1: a comparison is missing: one of cpus, memory, gpus, time'],
    [
      'gpu > 0',
      'at character 1: "gpu" is not one of cpus, memory, gpus, time; did you mean "gpus"?',
    ],
    ['gpus', 'at character 5: one of <= >= == != < > is missing'],
    ['gpus ! 0', 'at character 6: "!" is not one of <= >= == != < >'],
    ['gpus >', 'at character 7: the value is missing'],
    ['gpus > many', 'at character 8: "many" is not a number'],
    ['cpus > 4 GiB', 'at character 8: "4 GiB" is not a number'],
    ['memory > 64', undefined],
    ['time > 12', 'at character 8: "12" is not a duration; write for example 12s'],
    [
      'memory > 1 XB',
      'at character 12: "XB" is not expected here; between comparisons stand and, or',
    ],
    [
      'gpus > 0 cpus > 1',
      'at character 10: "cpus" is not expected here; between comparisons stand and, or',
    ],
    [
      'gpus > 0 && cpus > 1',
      'at character 10: "&" is not expected here; between comparisons stand and, or',
    ],
    ['gpus > 0 and', 'at character 13: a comparison is missing: one of cpus, memory, gpus, time'],
    ['(gpus > 0', 'at character 10: the parenthesis is not closed'],
    ['gpus > 0)', 'at character 9: ")" is not expected here; between comparisons stand and, or'],
    ['process.exit()', 'at character 1: "process.exit" is not one of cpus, memory, gpus, time'],
    ['x'.repeat(1_001), 'is longer than 1000 characters'],
  ])('%j is told as it is', (text, problem) => {
    const parsed = parseCondition(text);
    expect('problem' in parsed ? parsed.problem : undefined).toBe(problem);
  });
});

describe('any condition', () => {
  const value: Record<Subject, fc.Arbitrary<number>> = {
    cpus: fc.integer({ min: 0, max: 999_999 }).map((thousandths) => thousandths / 1_000),
    gpus: fc.nat(64),
    memory: fc.maxSafeNat(),
    time: fc.nat(1e11),
  };
  const compare: fc.Arbitrary<Condition> = fc.constantFrom(...SUBJECTS).chain((subject) =>
    fc.record({
      kind: fc.constant('compare' as const),
      subject: fc.constant(subject),
      operator: fc.constantFrom(...OPERATORS),
      value: value[subject],
    }),
  );
  const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 4 },
      compare,
      fc.record({ kind: fc.constant('not' as const), of: tie('condition') }),
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        of: fc.array(tie('condition'), { minLength: 2, maxLength: 3 }),
      }),
    ),
  }));

  it('is read back from its text', () => {
    fc.assert(
      fc.property(condition, (one) => {
        const text = formatCondition(one);
        fc.pre(text.length <= 1_000);
        expect(parseCondition(text)).toEqual({ value: one });
      }),
      { numRuns: 500 },
    );
  });

  it('means what it would mean in JavaScript, where all is known', () => {
    const amounts = fc.record(value);
    const plain = (one: Condition, has: Record<Subject, number>): boolean => {
      if (one.kind === 'not') return !plain(one.of, has);
      if (one.kind !== 'compare') {
        const truths = one.of.map((part) => plain(part, has));
        return one.kind === 'and' ? !truths.includes(false) : truths.includes(true);
      }
      const [left, right] = [has[one.subject], one.value];
      const truths = { '<': left < right, '>': left > right, '==': left === right };
      const { '<': less, '>': more, '==': same } = truths;
      return { ...truths, '<=': less || same, '>=': more || same, '!=': !same }[one.operator];
    };
    fc.assert(fc.property(condition, amounts, (one, has) => holds(one, has) === plain(one, has)));
  });

  it('what is known more never changes an answer', () => {
    const some = fc.record(value, { requiredKeys: [] });
    fc.assert(
      fc.property(condition, some, fc.record(value), (one, known, rest) => {
        const answer = holds(one, known);
        return answer === undefined || answer === holds(one, { ...rest, ...known });
      }),
    );
  });

  it('no text does more than be refused', () => {
    const piece = fc.constantFrom(
      ...SUBJECTS,
      ...OPERATORS,
      'and',
      'or',
      'not',
      '(',
      ')',
      '1',
      '1h',
      '1 GiB',
      ' ',
      '𝒳',
      '=',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece).map((all) => all.join(' ')),
    );
    fc.assert(
      fc.property(text, (words) => {
        const parsed = parseCondition(words);
        return 'problem' in parsed || parseCondition(formatCondition(parsed.value)) !== undefined;
      }),
      { numRuns: 1_000 },
    );
  });
});
