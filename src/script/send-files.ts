/**
 * Many small files on their way from a host as one stream: their bytes, one behind the other, and nothing else. Whoever
 * reads knows names, sizes and hashes beforehand, so that nothing in the stream could name a place.
 */
import { batches } from './batches.ts';
import { quoteAll } from './quote.ts';

/** The exit code when a file is not there or is none any more. */
export const NOT_A_FILE = 9;

/** Gives the text that writes the files to stdout, in order. */
export function sendFilesText(paths: readonly string[]): string {
  return [
    '# shellcheck disable=SC2016 # names are taken as they are',
    'send() {',
    `  for f; do if [ -L "$f" ] || ! [ -f "$f" ]; then exit ${NOT_A_FILE}; fi; done`,
    `  cat "$@" || exit ${NOT_A_FILE}`,
    '}',
    ...batches(paths).map((part) => `send ${quoteAll(part)}`),
  ].join('\n');
}
