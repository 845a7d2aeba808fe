/** A task that notes its start outside, prints, and ends when a test lets it: for faults while it runs. */
import { type StartLedger, startLedger } from '../crash-task.ts';
import type { TestDaemon } from '../daemon.ts';
import { until } from '../until.ts';
import type { SpareHost } from './spare-host.ts';

export interface PatientTask {
  readonly id: string;
  readonly ledger: StartLedger;
  /** Resolves when its first output is here. */
  began(): Promise<void>;
  /** Lets it end by itself, with code 4; it has printed "began" and "ended" then. */
  letEnd(): Promise<void>;
  /** Waits for its end and gives the state. */
  end(): Promise<string>;
}

/** Submits one to the host `far`. */
export async function submitPatient(
  daemon: TestDaemon,
  spare: SpareHost,
  ...options: string[]
): Promise<PatientTask> {
  const ledger = startLedger(daemon);
  const payload = `${ledger.line}; echo began; until [ -e go ]; do sleep 0.1; done; echo ended; exit 4`;
  const words = [spare.image, '--', 'sh', '-c', payload];
  const id = await daemon.submit('--host', 'far', ...ledger.args, ...options, ...words);
  return {
    id,
    ledger,
    began: () =>
      until(
        async () => (await daemon.cli('logs', id)).stdout.endsWith('began\n'),
        () => `output of ${id}; ${daemon.log().slice(-2_000)}`,
      ),
    async letEnd() {
      const { remoteDir } = await daemon.show(id);
      await spare.as('alice', `touch '${remoteDir}/work/go'`);
    },
    async end() {
      await daemon.cli('wait', id);
      return (await daemon.show(id)).state;
    },
  };
}

/** Waits until a task says that it waits, and for what. */
export async function blockedBy(daemon: TestDaemon, id: string, code: string): Promise<void> {
  await until(
    async () => (await daemon.show(id)).blocked?.reason === code,
    () => `${id} blocked by ${code}; ${daemon.log().slice(-2_000)}`,
  );
}
