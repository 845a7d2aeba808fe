/**
 * Whether outputs are what the command wrote. As long as its machine has not been booted again they are;
 * after that only if they were put on disk before, which the supervisor says by a mark. Without it a file may
 * have lost its end, or all of its bytes, in a loss of power, and nobody could tell.
 */
import { AppError } from '../domain/failure.ts';
import type { LaunchRecord } from '../domain/state.ts';
import type { AttemptToken } from '../domain/task.ts';
import { parseSettled, settledText } from '../script/settled.ts';
import type { Seat } from './seats.ts';

export interface Attempted {
  seat: Seat;
  token: AttemptToken;
  launch: LaunchRecord;
  workDir: string;
  signal: AbortSignal;
}

/** Asks the host only if it was booted since. @throws OUTPUT_NOT_DURABLE; what asking throws */
export async function refuseUnsettled(attempted: Attempted): Promise<void> {
  const { seat, token, launch, workDir, signal } = attempted;
  const facts = await seat.facts();
  const isHere = facts.machineId === launch.machineId && facts.hostname === launch.hostname;
  if (isHere && facts.bootId === launch.bootId) return;
  const dir = seat.attemptDir(launch.root, token);
  const purpose = `asking whether the outputs of ${token} are on disk`;
  const text = settledText({ root: launch.root, dir, nonce: launch.nonce, on: launch });
  const { output } = await seat.host.run(text, { purpose, signal });
  if (parseSettled(output)) return;
  const why = `host ${seat.name} was booted again before the outputs of ${token} were on its disk: what is there may be cut`;
  throw new AppError('OUTPUT_NOT_DURABLE', why, { context: { host: seat.name, workDir } });
}
