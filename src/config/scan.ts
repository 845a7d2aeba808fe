/**
 * Reads an INI text line by line and keeps what the ini package loses: where each section and key
 * stands. Refuses with the line whatever that package would drop or change. Knows the grammar, not
 * the keys; no packages, so that the command line can find its socket without loading a schema.
 */

import { shown } from '../domain/shown.ts';
import { isDagonSection, isDagonText } from './dagon-sections.ts';
import { CONTROL_CHARACTER, type Place, type Problem } from './problem.ts';
import { scanValue } from './scan-value.ts';
import { COMMENTED_SECTION, sectionProblem } from './section-names.ts';

export interface Section extends Place {
  name: string;
}

export interface Entry extends Place {
  section: string;
  key: string;
  value: string;
}

export interface Scan {
  sections: Section[];
  entries: Entry[];
  problems: Problem[];
  /** What was understood, one line per line, without comments: the text for the ini package. */
  clean: string;
  /** In a file that was written for DagOnStar: what only such a file has, values as they stand. */
  dagon?: { sections: Section[]; entries: Entry[] };
}

/** Where the scan stands. `inside` is undefined before the first section and in a refused one. */
interface Cursor {
  scan: Scan;
  place: Place;
  inside: string | undefined;
  /** Inside a section that only a dagon.ini has. */
  dagon: string | undefined;
  refused: boolean;
  /** The line on which a section or a key of it was seen first. */
  seen: Map<string, number>;
}

/** Splits a text into sections and entries; never throws, what is wrong is listed. */
export function scanIni(file: string, text: string): Scan {
  const scan: Scan = { sections: [], entries: [], problems: [], clean: '' };
  if (isDagonText(text)) scan.dagon = { sections: [], entries: [] };
  const cursor: Cursor = {
    ...{ scan, place: { file, line: 0 }, seen: new Map() },
    ...{ inside: undefined, dagon: undefined, refused: false },
  };
  // A byte order mark and CRLF are what Windows editors add to a good file.
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const cleaned = lines.map((line, index) => {
    cursor.place = { file, line: index + 1 };
    return scanLine(cursor, line);
  });
  return { ...scan, clean: cleaned.join('\n') };
}

/** Gives back the line as the ini package shall see it: empty when it is a comment or refused. */
function scanLine(cursor: Cursor, line: string): string {
  const content = line.trim();
  if (content === '' || /^[;#]/.test(content)) return '';
  if (CONTROL_CHARACTER.test(line) || line.includes('\uFEFF')) {
    return refuse(cursor, {
      code: 'CONFIG_SYNTAX',
      what: 'the line holds a control character or a stray byte order mark',
    });
  }
  return content.startsWith('[') ? scanHeader(cursor, content) : scanEntry(cursor, content);
}

function scanHeader(cursor: Cursor, content: string): string {
  const match = /^\[([^[\]]*)\](.*)$/.exec(content);
  const name = match?.[1]?.trim() ?? '';
  const rest = match?.[2]?.trim() ?? '';
  cursor.dagon = undefined;
  cursor.inside = undefined;
  if (cursor.scan.dagon !== undefined && isDagonSection(name)) {
    cursor.dagon = name;
    cursor.scan.dagon.sections.push({ ...cursor.place, name });
    return '';
  }
  const problem = match === null ? undefined : sectionProblem(name);
  cursor.refused = true;
  if (match === null) {
    return refuse(cursor, {
      code: 'CONFIG_SYNTAX',
      what: `${shown(content)} is not a section header: [name]`,
    });
  }
  if (problem !== undefined) return refuse(cursor, { ...problem, section: name });
  cursor.inside = name;
  cursor.refused = false;
  const twin = firstSeen(cursor, name);
  cursor.scan.sections.push({ ...cursor.place, name });
  if (twin !== undefined) {
    refuse(cursor, {
      code: 'CONFIG_SYNTAX',
      section: name,
      what: `the section was opened on line ${twin} already; join the two`,
    });
  }
  if (rest !== '' && !(name === COMMENTED_SECTION && /^[;#]/.test(rest))) {
    refuse(cursor, {
      code: 'CONFIG_SYNTAX',
      section: name,
      what: `text after the section header: ${shown(rest)}; put a comment on its own line`,
    });
  }
  return `[${name}]`;
}

function scanEntry(cursor: Cursor, content: string): string {
  if (cursor.dagon !== undefined) return scanDagonEntry(cursor, cursor.dagon, content);
  if (cursor.refused) return '';
  const section = cursor.inside;
  if (section === undefined) {
    return refuse(cursor, {
      code: 'CONFIG_SYNTAX',
      what: `${shown(content)} stands before the first section`,
    });
  }
  const equals = content.indexOf('=');
  if (equals < 0) {
    return refuse(cursor, {
      code: 'CONFIG_SYNTAX',
      section,
      what: `${shown(content)} is not of the form key = value`,
    });
  }
  const key = content.slice(0, equals).trim();
  if (!/^[A-Za-z][A-Za-z0-9_.-]*$/.test(key)) {
    const list = key.endsWith('[]') ? '; a list is one line: key = a, b' : '';
    return refuse(cursor, {
      code: 'CONFIG_SYNTAX',
      section,
      what: `${shown(key)} is not a key${list}`,
    });
  }
  const twin = firstSeen(cursor, `${section}\n${key}`);
  if (twin !== undefined) {
    return refuse(cursor, {
      code: 'CONFIG_SYNTAX',
      section,
      key,
      what: `was set on line ${twin} already`,
    });
  }
  const parsed = scanValue(content.slice(equals + 1), section === COMMENTED_SECTION);
  if ('problem' in parsed) {
    return refuse(cursor, { code: 'CONFIG_SYNTAX', section, key, what: parsed.problem });
  }
  if (parsed.value.value.trim() === '') {
    const what = 'is empty; give a value or remove the line';
    return refuse(cursor, { code: 'CONFIG_VALUE_INVALID', section, key, what });
  }
  cursor.scan.entries.push({ ...cursor.place, section, key, value: parsed.value.value });
  return `${key} = ${parsed.value.clean}`;
}

/** As loose as Python's ConfigParser; lines that go on with a value are of no use here. */
function scanDagonEntry(cursor: Cursor, section: string, content: string): '' {
  const [, key = '', value = ''] = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(content) ?? [];
  const bare = value.replace(/(^|\s)[;#].*$/, '').trim();
  if (key !== '')
    cursor.scan.dagon?.entries.push({
      ...cursor.place,
      section,
      key: key.toLowerCase(),
      value: bare,
    });
  return '';
}

function firstSeen(cursor: Cursor, name: string): number | undefined {
  const line = cursor.seen.get(name);
  if (line === undefined) cursor.seen.set(name, cursor.place.line);
  return line;
}

function refuse(cursor: Cursor, problem: Problem): '' {
  cursor.scan.problems.push({ place: cursor.place, ...problem });
  return '';
}
