/**
 * The text that carries one command into a control shell.
 *
 * - The script travels as one single-quoted word for `eval`, so here-documents, comments, unbalanced
 *   braces and syntax errors in it cannot reach the shell that carries it.
 * - All is inside `{ …; }`: a text cut anywhere is a syntax error, and the shell runs none of it.
 * - It runs under umask 077, and so does all that it starts; TOWLINE_UMASK says what the account's own is, for
 *   the payload. A shell inherits that from a daemon of this machine, which has given up its own at its start.
 * - The marks hold a nonce that the script cannot know, so no output can be mistaken for a mark.
 */

/** The mark before a command's output. */
export function beginMark(nonce: string): string {
  return `${nonce} begin\n`;
}

/** The mark after a command's output, before its exit code and a newline. */
export function endMark(nonce: string): string {
  return `\n${nonce} end `;
}

/** Wraps a script without NUL so that its reply comes back between the marks of `nonce`. */
export function wrapCommand(script: string, nonce: string): string {
  const quoted = `'${script.replaceAll("'", `'\\''`)}'`;
  return `{ export TOWLINE_UMASK="\${TOWLINE_UMASK:-$(umask)}"; printf '%s begin\\n' ${nonce}; ( umask 077; eval ${quoted} ) </dev/null 2>&1; printf '\\n%s end %d\\n' ${nonce} "$?"; }\n`;
}
