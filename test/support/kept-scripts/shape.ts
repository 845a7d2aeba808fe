/**
 * What two generated scripts have in common when they differ only in what a user, a host or chance put into them:
 * ids, nonces, paths, the words of a command, how many of them there are.
 */

/** Gives the shape of a script: its distinct lines with what varies taken out. */
export function shapeOf(text: string): string {
  const lines = withoutQuoted(text).split('\n').map(withoutValues);
  return [...new Set(lines)].join('\n');
}

/** A word that was quoted becomes what a checker could mind in it. Comments may have apostrophes. */
function withoutQuoted(text: string): string {
  let shape = '';
  let at = 0;
  let quoted = false;
  while (at < text.length) {
    const next = text[at] as string;
    const before = text[at - 1] ?? '\n';
    if (!quoted && next === "'") {
      const end = endOfQuoted(text, at);
      shape += kindOf(text.slice(at, end));
      at = end;
    } else if (!quoted && next === '#' && /\s/.test(before)) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (next === '\\') {
      shape += text.slice(at, at + 2);
      at += 2;
    } else {
      if (next === '"') quoted = !quoted;
      shape += next;
      at += 1;
    }
  }
  return shape;
}

/** Past the last part of a word like 'it'\''s'. */
function endOfQuoted(text: string, from: number): number {
  let at = from;
  do {
    const close = text.indexOf("'", at + 1);
    if (close < 0) return text.length;
    at = close + 1;
    if (text.startsWith("\\''", at)) at += 2;
  } while (text[at] === "'");
  return at;
}

/** By letters: numbers are taken out. */
function kindOf(word: string): string {
  const marks = { e: /[$`]/, b: /\\(?!'')/, n: /\n/, u: /[^\n -~]/ };
  const kinds = Object.entries(marks).flatMap(([kind, mark]) => (mark.test(word) ? [kind] : []));
  return `Q${kinds.join('')}`;
}

function withoutValues(line: string): string {
  return line
    .replaceAll(/[0-9a-f]{12,}|\d+/g, '0')
    .replaceAll(/\b(?:\w*ENV_)\w+/g, 'ENV')
    .replaceAll(/(\S+)(?: \1)+(?= |$)/g, '$1')
    .trim();
}
