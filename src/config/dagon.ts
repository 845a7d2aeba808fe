/**
 * A dagon.ini as configuration of one host: what its sections besides [ssh] mean here. What means nothing is
 * noted, never an error; a value that would be used and cannot be is one.
 */
import { shown } from '../domain/shown.ts';
import { keysOf, type Setting } from './check.ts';
import { whyWithoutMeaning } from './dagon-sections.ts';
import type { Note } from './openssh/lines.ts';
import type { Problem } from './problem.ts';
import type { Entry, Scan, Section } from './scan.ts';
import type { ValueContext } from './values.ts';

export interface DagonReading {
  settings: Setting[];
  /** The host that the file makes besides [ssh]. */
  sections: Section[];
  notes: Note[];
  problems: Problem[];
}

/** What a key becomes: the key here with its text; or a note of why it is not used. */
type Meaning =
  | { section: string; key: string; text: string }
  | { note: string }
  | { wrong: string };
type Means = (value: string, section: string, checked: readonly Setting[]) => Meaning;

const LEVELS: Readonly<Record<string, string>> = {
  ...{ DEBUG: 'debug', INFO: 'info', WARNING: 'warn', WARN: 'warn' },
  ...{ ERROR: 'error', CRITICAL: 'error', FATAL: 'error', NOTSET: 'trace' },
};
/** One link is for control; the rest may move files at once. */
const LINKS_MAX = 17;

const KEYS: Readonly<Record<string, Means>> = {
  'batch.scratch_dir_base': (value, section) => ({
    ...{ section, key: 'root' },
    text: `${value.replace(/\/+$/, '')}/towline-$USER`,
  }),
  'batch.remove_dir': (value) => {
    const yes = truthOf(value);
    if (yes === undefined) return { wrong: `${shown(value)} is neither True nor False` };
    return { section: 'defaults', key: 'cleanup', text: yes ? 'always' : 'never' };
  },
  'batch.threads': (value, section) => {
    if (!/^[1-9]\d{0,3}$/.test(value)) return { wrong: `${shown(value)} is not a number above 0` };
    if (section === LOCAL) return { note: 'files of this machine are not sent' };
    return { section, key: 'links', text: String(Math.min(Number(value) + 1, LINKS_MAX)) };
  },
  'batch.run_base': () => ({ note: 'directories of attempts are named by the id of the task' }),
  // Of staging jobs there; a host that is no cluster cannot use it.
  'slurm.partition': (text, section, checked) => {
    const isCluster = ({ section: of, key, value }: Setting): boolean =>
      of === section && key === 'scheduler' && value === 'slurm';
    if (checked.some(isCluster)) return { section, key: 'partition', text };
    return { note: `[${section}] has no scheduler = slurm` };
  },
  'logger_root.level': (value) => {
    const text = LEVELS[value.toUpperCase()];
    if (text === undefined) return { note: `${shown(value)} is no level` };
    return { section: 'daemon', key: 'log_level', text };
  },
};

const SSH = 'host.ssh';
const LOCAL = 'host.local';

/** Reads a file that was written for DagOnStar; gives nothing for any other. */
export function readDagon(
  scan: Scan,
  checked: readonly Setting[],
  context: ValueContext,
): DagonReading {
  const reading: DagonReading = { settings: [], sections: [], notes: [], problems: [] };
  if (scan.dagon === undefined) return reading;
  const { sections, entries } = scan.dagon;
  const host = scan.sections.some(({ name }) => name === 'ssh') ? SSH : LOCAL;
  if (host === LOCAL) makeLocal(reading, sections);
  for (const { name, ...place } of sections) {
    const why = whyWithoutMeaning(name);
    if (why !== undefined) reading.notes.push({ place, what: `[${name}] is not used: ${why}` });
  }
  for (const entry of entries) readEntry(reading, entry, { host, checked, context });
  reading.notes.sort((a, b) => a.place.line - b.place.line);
  return reading;
}

/** Without [ssh] DagOnStar runs tasks on this machine. */
function makeLocal(reading: DagonReading, sections: readonly Section[]): void {
  const { file, line } = sections[0] ?? { file: '', line: 0 };
  const place = { file, line };
  reading.sections.push({ ...place, name: LOCAL });
  reading.settings.push({ place, section: LOCAL, key: 'type', value: 'local' });
  reading.notes.push({
    place,
    what: 'there is no [ssh]: tasks run on this machine, as host local',
  });
}

interface Reader {
  host: string;
  checked: readonly Setting[];
  context: ValueContext;
}

function readEntry(reading: DagonReading, entry: Entry, { host, checked, context }: Reader): void {
  const { file, line, section: from, key: name, value } = entry;
  const place = { file, line };
  const note = (what: string): void => {
    reading.notes.push({ place, what: `[${from}] ${name} ${what}` });
  };
  const wrong = (what: string): void => {
    const code = 'CONFIG_VALUE_INVALID';
    reading.problems.push({ code, place, section: from, key: name, what });
  };
  if (whyWithoutMeaning(from) !== undefined) return;
  const means = KEYS[`${from}.${name}`];
  if (means === undefined) return note('is not used');
  // As Python's ConfigParser has it: nothing is set.
  if (value === '') return;
  const meaning = means(value, host, checked);
  if ('note' in meaning) return note(`is not used: ${meaning.note}`);
  if ('wrong' in meaning) return wrong(meaning.wrong);
  const { section, key, text } = meaning;
  if (checked.some((set) => set.section === section && set.key === key)) {
    return note(`is not used: [${section}] ${key} says it too`);
  }
  const parsed = keysOf(section)[key]?.type.schema(context).safeParse(text);
  if (parsed?.success !== true) return wrong(parsed?.error.issues[0]?.message ?? 'cannot be used');
  reading.settings.push({ place, section, key, value: parsed.data });
  return note(`is read as [${section}] ${key} = ${text}`);
}

/** The words of Python's ConfigParser. */
function truthOf(text: string): boolean | undefined {
  if (/^(1|yes|true|on)$/i.test(text)) return true;
  return /^(0|no|false|off)$/i.test(text) ? false : undefined;
}
