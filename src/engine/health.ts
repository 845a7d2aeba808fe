/** Whether the daemon can do its work: asks the ledger something small and does not wait for ever. */
import type { Store } from '../store/store.ts';
import type { Health } from './service.ts';

const ANSWER_TIMEOUT_MS = 2_000;

export async function lookAtHealth({
  store,
  readOnly,
}: {
  store: Store;
  readOnly: boolean;
}): Promise<Health> {
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(
    () => resolve(`no answer within ${ANSWER_TIMEOUT_MS} ms`),
    ANSWER_TIMEOUT_MS,
  );
  const answer = store.lastSeq().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  try {
    return { readOnly, storeFailure: await Promise.race([answer, late]) };
  } finally {
    clearTimeout(timer);
  }
}
