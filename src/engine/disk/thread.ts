/** The thread of the disk: reads, hashes and writes local files, so that neither a slow disk nor a hash holds up the daemon. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { isAppError } from '../../domain/failure.ts';
import { ACTS } from './acts.ts';
import type { Answer, Question, ToldError } from './questions.ts';

if (parentPort !== null) serve(parentPort);

function serve(port: MessagePort): void {
  port.on('message', (question: Question) => void answer(port, question));
}

async function answer(port: MessagePort, { id, act, input }: Question): Promise<void> {
  try {
    const value: unknown = await (ACTS[act] as (...words: readonly unknown[]) => unknown)(...input);
    say(port, { id, value }, value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : []);
  } catch (error) {
    say(port, { id, error: told(error) }, []);
  }
}

function say(port: MessagePort, answer: Answer, moved: ArrayBuffer[]): void {
  port.postMessage(answer, moved);
}

/** A structured clone keeps neither the code of an error nor what makes it ours. */
function told(error: unknown): ToldError {
  const { message } = error instanceof Error ? error : new Error(String(error));
  if (isAppError(error)) return { message, own: { code: error.code, context: error.context } };
  const { code, index } = error as { code?: unknown; index?: unknown };
  return {
    message,
    errno: typeof code === 'string' ? code : undefined,
    index: typeof index === 'number' ? index : undefined,
  };
}
