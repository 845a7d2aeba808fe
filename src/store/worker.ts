/**
 * The ledger's own thread, so that a sync of the disk never holds up the daemon. While one round is
 * being committed the next requests gather in the port; they become the next round.
 */
import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from 'node:worker_threads';
import { type Ledger, openLedger } from './ledger.ts';
import type { FromWorker, Numbered, ToWorker, WorkerInput } from './requests.ts';
import { sendError } from './sent-error.ts';

/** One transaction holds at most so many requests, so that the first of them need not wait for ever. */
const MAX_ROUND = 1_000;

if (parentPort !== null) serve(parentPort, workerData as WorkerInput);

function serve(port: MessagePort, input: WorkerInput): void {
  const say = (message: FromWorker) => port.postMessage(message);
  let ledger: Ledger;
  try {
    ledger = openLedger(input);
  } catch (error) {
    say({ kind: 'failed', error: sendError(error) });
    port.close();
    return;
  }
  say({ kind: 'opened', opened: ledger.opened });
  port.on('message', (first: ToWorker) => {
    const { requests, closing } = gather(port, first);
    if (requests.length > 0) say({ kind: 'round', round: ledger.answer(requests) });
    if (!closing) return;
    ledger.close();
    port.close();
  });
}

/** This message and everything else that has arrived by now. */
function gather(port: MessagePort, first: ToWorker): { requests: Numbered[]; closing: boolean } {
  const requests: Numbered[] = [];
  let next: ToWorker | undefined = first;
  while (next !== undefined) {
    if (next.kind === 'close') return { requests, closing: true };
    requests.push(next);
    if (requests.length === MAX_ROUND) break;
    next = receiveMessageOnPort(port)?.message as ToWorker | undefined;
  }
  return { requests, closing: false };
}
