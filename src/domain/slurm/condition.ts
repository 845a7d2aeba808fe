/**
 * Conditions over what a task asks for, as `when` of a [sbatch.HOST.NAME] has them: judged, and written as
 * text. parse-condition.ts reads them. `not` binds closer than `and`, `and` closer than `or`.
 */
import { formatDuration, formatSize } from '../units.ts';

export const SUBJECTS = ['cpus', 'memory', 'gpus', 'time'] as const;
export type Subject = (typeof SUBJECTS)[number];
export const OPERATORS = ['<=', '>=', '==', '!=', '<', '>'] as const;
export type Operator = (typeof OPERATORS)[number];

export type Condition =
  /** Memory in bytes, time in milliseconds. */
  | { kind: 'compare'; subject: Subject; operator: Operator; value: number }
  | { kind: 'not'; of: Condition }
  | { kind: 'and' | 'or'; of: readonly Condition[] };

/** What a task asks for; absent: it does not say. */
export type Amounts = Readonly<Partial<Record<Subject, number>>>;

/**
 * Judges a condition. Undefined: what the task does not say decides it; then it is not true, and neither is
 * its opposite.
 */
export function holds(condition: Condition, amounts: Amounts): boolean | undefined {
  switch (condition.kind) {
    case 'compare': {
      const amount = amounts[condition.subject];
      return amount === undefined ? undefined : compare(amount, condition);
    }
    case 'not': {
      const inner = holds(condition.of, amounts);
      return inner === undefined ? undefined : !inner;
    }
    case 'and':
    case 'or': {
      const decisive = condition.kind === 'or';
      const parts = condition.of.map((part) => holds(part, amounts));
      if (parts.includes(decisive)) return decisive;
      return parts.includes(undefined) ? undefined : !decisive;
    }
  }
}

function compare(
  amount: number,
  { operator, value }: { operator: Operator; value: number },
): boolean {
  switch (operator) {
    case '<':
      return amount < value;
    case '<=':
      return amount <= value;
    case '>':
      return amount > value;
    case '>=':
      return amount >= value;
    case '==':
      return amount === value;
    case '!=':
      return amount !== value;
  }
}

/** The text that parseCondition turns into this condition again. */
export function formatCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'compare':
      return `${condition.subject} ${condition.operator} ${valueText(condition)}`;
    case 'not':
      return `not ${inside(condition.of, ['compare', 'not'])}`;
    case 'and':
      return condition.of.map((part) => inside(part, ['compare', 'not'])).join(' and ');
    case 'or':
      return condition.of.map((part) => inside(part, ['compare', 'not', 'and'])).join(' or ');
  }
}

function inside(part: Condition, bare: readonly Condition['kind'][]): string {
  const text = formatCondition(part);
  return bare.includes(part.kind) ? text : `(${text})`;
}

function valueText({ subject, value }: { subject: Subject; value: number }): string {
  if (subject === 'memory') return formatSize(value);
  return subject === 'time' ? formatDuration(value) : String(value);
}
