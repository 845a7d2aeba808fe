/** Processes of the bed's host, seen by root from outside Towline. */
import { onHost } from './bed.ts';

/** Pids of all processes whose environment has a variable that begins with `word`. */
export async function processesWith(word: string): Promise<number[]> {
  const found = await onHost(
    'vm',
    'sh',
    '-c',
    'grep -lszF -e "$1" /proc/[0-9]*/environ | sed "s#/proc/##; s#/environ##"; true',
    'sh',
    word,
  );
  return found.split('\n').filter(Boolean).map(Number);
}

/** Sends a signal; processes that are gone already are no error. */
export async function signalAll(signal: string, pids: readonly number[]): Promise<void> {
  const words = pids.map(String);
  await onHost('vm', 'sh', '-c', 'kill -"$0" "$@" 2>/dev/null; true', signal, ...words);
}
