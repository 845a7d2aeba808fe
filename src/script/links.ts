/** Many links by one program: each `ln` is a process, and a thousand of those take seconds. */
import { batches } from './batches.ts';
import { quote, quoteAll } from './quote.ts';

/** A link from the store into the directory that is being built. */
export interface Link {
  object: string;
  place: string;
}

/** Fewer are made one by one, in the time that such a program takes to begin. */
const FEWEST = 16;

const LINKS = `# where there is no such program, and what it could not link, goes one by one
links() {
  # shellcheck disable=SC2016 # not of the shell
  perl -e '($s, $d) = splice @ARGV, 0, 2; while (@ARGV) { ($o, $p) = splice @ARGV, 0, 2; link "$s/$o", "$d/$p" or exit 1 }' \\
    "$store" "$part" "$@" 2>/dev/null && return
  while [ $# -gt 0 ]; do
    [ -e "$part/$2" ] || link "$1" "$2"
    shift 2
  done
}`;

/** Gives the commands that make links in a text that has `link`, $store and $part. */
export function linkLines(links: readonly Link[]): string[] {
  if (links.length < FEWEST)
    return links.map(({ object, place }) => `link ${object} ${quote(place)}`);
  // a pair stays together
  const parts = batches(links.map(({ object, place }) => `${object}/${place}`));
  return [LINKS, ...parts.map((part) => `links ${part.map(pairOf).join(' ')}`)];
}

function pairOf(pair: string): string {
  const at = pair.indexOf('/');
  return quoteAll([pair.slice(0, at), pair.slice(at + 1)]);
}
