/** Which of several login nodes can be used, and what is wrong with the others. */
import { asTold, type Judgement, ok, warning } from '../../domain/judgement.ts';
import type { Case } from './case.ts';

export function judgeNodes({ link: { nodes } }: Case): Judgement {
  const seen = nodes?.found ?? [];
  if (seen.length === 0) return undefined;
  const failed = seen.flatMap(({ name, failure }) =>
    failure === undefined ? [] : [{ name, failure }],
  );
  const [first] = failed;
  const examined = seen.find((node) => node.examined)?.name ?? '';
  const all = seen.map(({ name }) => name).join(', ');
  if (first === undefined) return ok(`${all}: all can be used; ${examined} is examined here`);
  const told = asTold(first.failure);
  const why = failed
    .map(({ name, failure }) => `${name} cannot be used: ${failure.message}`)
    .join('; ');
  if (failed.length === seen.length) return told && { ...told, detail: `none of ${all}: ${why}` };
  return warning(`${examined} serves and is examined here; ${why}`, {
    code: first.failure.code,
    cause: 'tasks go on by way of the others; fewer are left if one of those fails, too',
    remedy: told?.remedy,
  });
}
