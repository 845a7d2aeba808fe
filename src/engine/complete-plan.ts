/** The complete plan of a task: which host and why, what is sent, where it works, what becomes of that; nothing is done. */
import { place } from '../domain/placement.ts';
import type { GpuGrant } from '../domain/state.ts';
import type { CleanupPolicy, TaskId, TaskSpec } from '../domain/task.ts';
import type { ServiceDeps } from './create-service.ts';
import { newTask } from './ledger.ts';
import { makePlan } from './plan.ts';
import { roomsOf } from './rooms.ts';
import type { HostChoice, HostPlan, InputSize, Plan } from './service.ts';
import { listInputs } from './staging/local-inputs.ts';
import { whyWaiting } from './why-waiting.ts';

type PlanDeps = Pick<ServiceDeps, 'seats' | 'store' | 'placer' | 'ledger'> &
  Partial<Pick<ServiceDeps, 'settings'>>;

/** @throws as makePlan; STAGE_INPUT_* for inputs that cannot be read */
export async function completePlan(deps: PlanDeps, spec: TaskSpec): Promise<Plan> {
  const { host, gpus, choice } = chooseHost(deps, spec);
  const plan = makePlan(deps, { ...spec, host }, gpus);
  const sizes = await Promise.all(spec.inputs.map((input) => sizeOf(input)));
  return {
    ...plan,
    choice,
    inputs: plan.inputs.map((input, index) => ({ ...input, ...sizes[index] })),
    directories: directoriesOf(plan, spec),
    cleanup: spec.cleanup,
  };
}

/** As the placer would choose just now, were there no other task that waits. */
function chooseHost(
  { seats, ledger }: PlanDeps,
  spec: TaskSpec,
): { host: string | undefined; gpus?: GpuGrant | undefined; choice: HostChoice } {
  const task = newTask('plan' as TaskId, { ...spec, held: false, after: undefined }, 0);
  const [placed] = place([task], roomsOf(seats.all(), ledger.onHosts()));
  if (placed !== undefined) {
    const why = spec.host === undefined ? 'the task fills it least' : 'it was asked for';
    return { host: placed.host, gpus: placed.gpus, choice: { why } };
  }
  const waits = whyWaiting(task, seats.all());
  const why =
    spec.host === undefined ? 'shown for it; none would be given now' : 'it was asked for';
  const choice = {
    why,
    waits: waits && { reason: waits.reason, message: waits.message, hint: waits.hint },
  };
  return { host: spec.host, choice };
}

async function sizeOf({ source, target }: TaskSpec['inputs'][number]): Promise<InputSize> {
  // what another task makes is known once it has ended
  if (source.kind === 'remote' || source.kind === 'output' || source.kind === 'url') return {};
  const files = (await listInputs([{ source, target }])).filter((entry) => entry.kind === 'file');
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

const FATES: Record<CleanupPolicy, string> = {
  always: 'made; removed when the task has ended, however it did',
  'on-success': 'made; removed after a success, else kept until keep_failed or towline gc',
  never: 'made; kept until keep_failed or towline gc',
};

function directoriesOf(plan: HostPlan, spec: TaskSpec): Plan['directories'] {
  const fate = FATES[spec.cleanup];
  const scratch = `towline-${plan.attemptDir.slice(plan.attemptDir.lastIndexOf('/') + 1)}`;
  return [
    { path: plan.attemptDir, fate },
    ...(spec.tmpDir === undefined ? [] : [{ path: `${spec.tmpDir}/${scratch}`, fate }]),
    ...spec.binds.map(({ source }) => ({ path: source, fate: 'yours; never removed' })),
  ];
}
