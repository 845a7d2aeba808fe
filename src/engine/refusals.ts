/** Why a task can never go to a host, however much room there is: what it asks of a scheduler. */
import { AppError, isAppError } from '../domain/failure.ts';
import type { TaskSpec } from '../domain/task.ts';
import type { HostPolicy } from './settings.ts';

type Refuses = (spec: TaskSpec) => AppError | undefined;

/** Placing asks again and again, and neither of the two ever changes. */
const remembered = new WeakMap<HostPolicy, Refuses>();

/** Gives the question for a host; undefined is its answer for what may go there. */
export function refusalOf(policy: HostPolicy): Refuses {
  const known = remembered.get(policy) ?? remember((spec) => ask(spec, policy));
  remembered.set(policy, known);
  return known;
}

function remember(refuses: Refuses): Refuses {
  const answers = new WeakMap<TaskSpec, { answer: AppError | undefined }>();
  return (spec) => {
    const known = answers.get(spec) ?? { answer: refuses(spec) };
    answers.set(spec, known);
    return known.answer;
  };
}

function ask(spec: TaskSpec, policy: HostPolicy): AppError | undefined {
  if (policy.jobs === undefined) return spec.slurm && withoutScheduler(spec.slurm, policy.name);
  try {
    policy.jobs.scheduler.request(spec);
    return undefined;
  } catch (error) {
    if (isAppError(error)) return error;
    throw error;
  }
}

function withoutScheduler(asked: NonNullable<TaskSpec['slurm']>, host: string): AppError {
  const names = Object.entries(asked).flatMap(([name, value]) => (value === undefined ? [] : name));
  const message = `host ${host} has no scheduler = slurm, which alone can give ${names.join(', ')}`;
  return new AppError('TASK_NO_HOST_FITS', message, { context: { host } });
}
