/** What a text from outside may contain. Pure; shared by the wire schemas and the CLI. */

/** C0, DEL and C1: what could move a terminal's cursor or end a line of a protocol. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** True when the text holds a control character or a line separator. */
export function hasControl(text: string): boolean {
  return CONTROL.test(text);
}

/** True when the text can be passed as one word to a program byte-exactly: no NUL, no lone surrogate. */
export function isPlainWord(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** True for a path that starts with / and whose parts are neither `..` nor `.`. */
export function isAbsoluteClean(path: string): boolean {
  return path.startsWith('/') && !hasDots(path);
}

/** True for a path that is absolute on a host once `~`, $HOME, $USER and $SCRATCH are what they are there. */
export function isHostPath(path: string): boolean {
  return /^(\/|~(\/|$)|\$\{?(HOME|SCRATCH)\b)/.test(path) && !hasDots(path);
}

/** True when a part of the path is `.` or `..`. */
export function hasDots(path: string): boolean {
  return path.split('/').some((part) => part === '..' || part === '.');
}

/** The last part of a path, a trailing slash ignored. */
export function baseName(path: string): string {
  return path.replace(/\/+$/, '').split('/').at(-1) ?? '';
}

/**
 * Splits `A:B:C` at its colons; `\:` stands for a colon that belongs to the text. At most `parts`
 * pieces: what is left stays together in the last one.
 */
export function splitColons(text: string, parts: number): string[] {
  const pieces: string[] = [''];
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] ?? '';
    if (char === '\\' && text[i + 1] === ':') {
      pieces[pieces.length - 1] += ':';
      i += 1;
    } else if (char === ':' && pieces.length < parts) {
      pieces.push('');
    } else {
      pieces[pieces.length - 1] += char;
    }
  }
  return pieces;
}
