/**
 * The lines of an OpenSSH client configuration that Towline takes values from. What comes in: a file's
 * text. What goes out: keywords with their arguments and line numbers, and a note for each line that
 * cannot be understood. The package is given one line at a time: it keeps no line numbers, and one bad
 * line must not cost the others. Its evaluator is never called: that one runs commands.
 */
import SSHConfig from 'ssh-config';
import { shown } from '../../domain/shown.ts';
import { CONTROL_CHARACTER, type Place } from '../problem.ts';

/** Something a user should know about what was read; no reason to stop. */
export interface Note {
  place: Place;
  what: string;
}

export interface Line {
  place: Place;
  /** In lower case. */
  keyword: string;
  args: readonly string[];
}

/** What Towline knows of the keywords: how many arguments they have. */
const KEYWORDS: ReadonlyMap<string, 'one' | 'many'> = new Map([
  ['host', 'many'],
  ['match', 'many'],
  ['include', 'many'],
  ['hostname', 'one'],
  ['user', 'one'],
  ['port', 'one'],
  ['identityfile', 'one'],
  ['identityagent', 'one'],
  ['proxyjump', 'one'],
  ['proxycommand', 'many'],
  ['knownhostscommand', 'many'],
  ['userknownhostsfile', 'many'],
  ['globalknownhostsfile', 'many'],
  ['hostkeyalias', 'one'],
]);

/** Reads a file's text. A `host` or `match` line that cannot be understood keeps its place with no arguments. */
export function readLines(file: string, text: string): { lines: Line[]; notes: Note[] } {
  const lines: Line[] = [];
  const notes: Note[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const keyword = /^\s*([A-Za-z]+)(?=[\s="]|$)/.exec(raw)?.[1]?.toLowerCase() ?? '';
    const count = KEYWORDS.get(keyword);
    if (count === undefined) continue;
    const place = { file, line: index + 1 };
    const args = argumentsOf(raw.trim(), count);
    if (typeof args === 'string') {
      notes.push({ place, what: `${keyword}: ${args}; the line is passed over` });
      if (keyword === 'host' || keyword === 'match') lines.push({ place, keyword, args: [] });
    } else {
      lines.push({ place, keyword, args });
    }
  }
  return { lines, notes };
}

/** The words after the keyword, or why they cannot be known. */
function argumentsOf(raw: string, count: 'one' | 'many'): string[] | string {
  if (CONTROL_CHARACTER.test(raw)) return 'holds a control character';
  let parsed: SSHConfig;
  try {
    parsed = SSHConfig.parse(raw);
  } catch {
    return /"/.test(raw) ? 'has a quote that is not closed' : 'has no value';
  }
  const [node] = parsed;
  if (node === undefined || !('value' in node)) return 'has no value';
  // A # begins a comment only where a word could begin; the package lets it cut a word.
  if (/[^\s"]#/.test(raw.replaceAll(/"[^"]*"/g, '""'))) return 'has a # within a word';
  const { value } = node;
  const words = typeof value === 'string' ? [value] : value.map(({ val }) => val);
  if (words.join('') === '') return 'has no value';
  if (count === 'many') return words;
  const [word = ''] = words;
  if (word.includes('"') || word.includes('\\'))
    return `${shown(word)} is quoted in a way not understood`;
  if (/\s/.test(word) && node.quoted !== true) return `${shown(word)} is more than one word`;
  return [word];
}
