/**
 * A tree of inputs as one object of the content store: the list of the objects that it is made of. Whoever stages the
 * same tree again asks for that one by its hash; the host looks for the others itself.
 */
import { createHash } from 'node:crypto';
import { safeName } from './layout.ts';
import { objectName, partPath } from './objects.ts';
import { quote } from './quote.ts';
import { onlyLine, replyInvalid, stepFailed } from './reply.ts';

const LIST_MODE = 0o444;

/** Gives the hash of the list of these objects, in this order. */
export function treeHash(names: readonly string[]): string {
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${safeName(name)}\n`);
  return hash.digest('hex');
}

interface TreePlace {
  root: string;
  daemonId: string;
  tree: string;
}

/** Gives the text that asks whether all objects of a tree are there. */
export function haveTreeText({ root, tree }: Omit<TreePlace, 'daemonId'>): string {
  return [
    `cd ${quote(`${root}/store`)} || { echo '@ failed no-store'; exit 0; }`,
    `t=${objectName(tree, LIST_MODE)}`,
    `case $( [ ! -f "$t" ] || sha256sum <"$t" ) in ${tree}' '*) ;; *) echo '@ unknown'; exit 0 ;; esac`,
    '# used just now: gc leaves them',
    'touch -c "$t" && xargs touch -c <"$t" 2>/dev/null',
    '# shellcheck disable=SC2046 # names without blanks',
    'set -- $(cat "$t")',
    'for o; do [ -f "$o" ] || { echo \'@ lacks\'; exit 0; }; done',
    "echo '@ whole'",
  ].join('\n');
}

/** Reads it. @throws HOST_REPLY_INVALID HOST_COMMAND_FAILED */
export function parseHaveTree(output: string, query: { host: string }): boolean {
  const purpose = `looking for a tree of inputs on ${query.host}`;
  const { verb, rest, noise } = onlyLine(purpose, output);
  if (verb === 'failed') throw stepFailed(purpose, rest, noise);
  if (verb !== 'whole' && verb !== 'lacks' && verb !== 'unknown')
    throw replyInvalid(purpose, `unknown word ${JSON.stringify(verb)}`, noise);
  return verb === 'whole';
}

/** Gives lines for a text in the store in which the shell has the names as `$tree`: from then on the tree is known by its hash. */
export function noteTreeLines({ root, daemonId, tree }: TreePlace): string[] {
  const place = { root, daemonId, sha256: tree, mode: LIST_MODE };
  return [
    `list=${quote(partPath(place))} t=${objectName(tree, LIST_MODE)}`,
    '# one at a time; what is not noted is asked for by its names again',
    '# shellcheck disable=SC2086 # names without blanks',
    'if [ ! -f "$t" ] && (set -C && printf \'%s\\n\' $tree >"$list") 2>/dev/null; then',
    `  case $(sha256sum <"$list") in ${tree}' '*) chmod 0444 "$list" && mv "$list" "$t" ;; *) rm -f "$list" ;; esac`,
    'fi',
  ];
}
