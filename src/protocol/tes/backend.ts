/** resources.backend_parameters: what Towline understands of them. Pure. */
import { AppError } from '../../domain/failure.ts';
import type { SlurmAsk, TaskSpec } from '../../domain/task.ts';
import { parseDuration, parseSize } from '../../domain/units.ts';
import * as limits from '../limits.ts';
import type { TesResources } from './schema.ts';

/** What the parameters ask for. */
type Asked = Pick<
  TaskSpec,
  'host' | 'require' | 'gpus' | 'timeLimitMs' | 'network' | 'overlay' | 'priority'
> & { slurm?: SlurmAsk };

type Apply = (asked: Asked, value: string) => Asked;

const slurm =
  (field: 'partition' | 'account' | 'qos' | 'constraint'): Apply =>
  (asked, value) => ({ ...asked, slurm: { ...asked.slurm, [field]: value } });

/** Each with what it does; the list is told by service-info. */
const PARAMETERS: Readonly<Record<string, Apply>> = {
  host: (asked, host) => ({ ...asked, host }),
  tags: (asked, value) => ({ ...asked, require: value.split(/[\s,]+/).filter(Boolean) }),
  partition: slurm('partition'),
  account: slurm('account'),
  qos: slurm('qos'),
  constraint: slurm('constraint'),
  walltime: (asked, value) => ({ ...asked, timeLimitMs: walltimeOf(value) }),
  gpus: (asked, value) => ({ ...asked, gpus: numberOf('gpus', value, limits.GPUS_MAX) }),
  network: (asked, network) => ({ ...asked, network: networkOf(network) }),
  writable_root: (asked, value) => ({ ...asked, overlay: { kind: 'made', bytes: sizeOf(value) } }),
};

export const BACKEND_PARAMETERS = Object.keys(PARAMETERS);

/**
 * Gives what the parameters ask for, those that were understood, and a sentence for each that was not.
 * @throws TASK_INVALID for a value that does not fit, and with backend_parameters_strict for a key that is not known
 */
export function readBackend(resources: TesResources | undefined): {
  asked: Asked;
  known: Record<string, string>;
  warnings: string[];
} {
  const known: Record<string, string> = {};
  const unknown: string[] = [];
  let asked: Asked = { priority: 0 };
  for (const [key, value] of Object.entries(resources?.backend_parameters ?? {})) {
    const name = key.toLowerCase();
    const apply = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
    if (apply === undefined) unknown.push(key);
    else {
      known[key] = value;
      asked = apply(asked, value);
    }
  }
  if (unknown.length > 0 && resources?.backend_parameters_strict === true) {
    refuse(unknown[0] ?? '', `is not supported; there are ${BACKEND_PARAMETERS.join(', ')}`);
  }
  const warnings = unknown.map(
    (key) => `backend parameter ${JSON.stringify(key)} is not supported and was left out`,
  );
  return { asked, known, warnings };
}

/** As Slurm writes it (1-12:00:00, 12:00:00, minutes), or as Towline does (90m). */
function walltimeOf(value: string): number {
  const clock = /^(?:(\d{1,3})-)?(\d{1,4}):(\d{2})(?::(\d{2}))?$/.exec(value);
  const ms = clock === null ? plainTime(value) : clockMs(clock);
  if (ms === undefined || ms <= 0 || ms > limits.TIME_LIMIT_MS_MAX) {
    refuse('walltime', 'is not a time like 90m, 12:00:00 or 1-12:00:00, of at most 365 days');
  }
  return ms;
}

/** Hours and minutes; with three parts also seconds. */
function clockMs([
  ,
  days = '0',
  hours = '0',
  minutes = '0',
  seconds = '0',
]: RegExpExecArray): number {
  return (
    (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000
  );
}

function plainTime(value: string): number | undefined {
  if (/^\d{1,6}$/.test(value)) return Number(value) * 60_000;
  const parsed = parseDuration(value);
  return 'value' in parsed ? parsed.value : undefined;
}

function sizeOf(value: string): number {
  const parsed = parseSize(value);
  if ('problem' in parsed) refuse('writable_root', parsed.problem);
  return parsed.value;
}

function numberOf(name: string, value: string, max: number): number {
  if (!/^\d{1,6}$/.test(value) || Number(value) > max) {
    refuse(name, `is not a whole number of at most ${max}`);
  }
  return Number(value);
}

function networkOf(value: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(value)) refuse('network', 'is not a network');
  return value;
}

function refuse(key: string, why: string): never {
  const field = `resources.backend_parameters.${key}`;
  throw new AppError('TASK_INVALID', `${field} ${why}`, { context: { field } });
}
