/**
 * From a scanned file to typed values: the ini package reads the clean text, strict zod schemas made
 * from the table of keys judge it, and every issue is led back to the line it came from.
 */
import { parse } from 'ini';
import { z } from 'zod';
import { didYouMean } from '../domain/suggest.ts';
import type { KeyTable } from './key-table.ts';
import { SECTIONS } from './keys.ts';
import type { Place, Problem } from './problem.ts';
import type { Entry, Scan } from './scan.ts';
import { HOST_PREFIX, tableOf } from './section-names.ts';
import type { ValueContext } from './values.ts';

/** A value that a file sets. Keys of [ssh] are already under the names they have in [host.ssh]. */
export interface Setting {
  place: Place;
  section: string;
  key: string;
  value: unknown;
}

/** Checks one file. Settings are complete only when there are no problems. */
export function checkScan(
  scan: Scan,
  context: ValueContext,
): { settings: Setting[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const settings: Setting[] = [];
  const tree: unknown = parse(scan.clean);
  const schemas = sectionSchemas(context);
  const bySection = Map.groupBy(scan.entries, ({ section }) => section);
  for (const section of new Set(scan.sections.map(({ name }) => name))) {
    const entries = bySection.get(section) ?? [];
    const lost = entries.filter((entry) => readBack(tree, entry) !== entry.value);
    const kept = entries.filter((entry) => !lost.includes(entry));
    const checked = checkSection(section, kept, schemas);
    problems.push(...lost.map(lostProblem), ...checked.problems);
    settings.push(...checked.settings);
  }
  return { settings, problems };
}

/** The table of keys of a section as it is written: [host.vm] has those of host.NAME. */
export function keysOf(section: string): KeyTable {
  return SECTIONS[tableOf(section)]?.keys ?? {};
}

/** The value as the ini package has it; it makes true, false, null and quoted JSON into other types. */
function readBack(tree: unknown, entry: Entry): string | undefined {
  let node = tree;
  for (const name of [...entry.section.split('.'), entry.key]) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, name)) return undefined;
    node = (node as Record<string, unknown>)[name];
  }
  return String(node);
}

function lostProblem(entry: Entry): Problem {
  const what = 'the value would be changed when it is read; put it between double quotes';
  return {
    code: 'CONFIG_SYNTAX',
    place: placeOf(entry),
    section: entry.section,
    key: entry.key,
    what,
  };
}

function checkSection(
  section: string,
  entries: Entry[],
  schemas: (keys: KeyTable) => SectionSchema,
): { settings: Setting[]; problems: Problem[] } {
  const keys = keysOf(section);
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  const result = schemas(keys).safeParse(
    Object.fromEntries(entries.map((entry) => [entry.key, entry.value])),
  );
  if (!result.success)
    return { settings: [], problems: result.error.issues.flatMap((issue) => locate(issue, byKey)) };
  const settings = entries.map((entry) => ({
    place: placeOf(entry),
    section: section === 'ssh' ? `${HOST_PREFIX}ssh` : section,
    key: keys[entry.key]?.sets ?? entry.key,
    value: result.data[entry.key],
  }));
  return { settings, problems: [] };
}

type SectionSchema = z.ZodType<Record<string, unknown>>;

/** One for each table: to make it takes longer than to use it, and there may be a thousand hosts. */
function sectionSchemas(context: ValueContext): (keys: KeyTable) => SectionSchema {
  const made = new Map<KeyTable, SectionSchema>();
  return (keys) => {
    const schema = made.get(keys) ?? sectionSchema(keys, context);
    made.set(keys, schema);
    return schema;
  };
}

function sectionSchema(keys: KeyTable, context: ValueContext): SectionSchema {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(keys).map(([name, row]) => [name, row.type.schema(context).optional()]),
    ),
  );
}

function locate(issue: z.core.$ZodIssue, byKey: Map<string, Entry>): Problem[] {
  const names = issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])];
  return names.flatMap((name): Problem[] => {
    const entry = byKey.get(name);
    if (entry === undefined) return [];
    const common = { place: placeOf(entry), section: entry.section, key: entry.key };
    return issue.code === 'unrecognized_keys'
      ? [{ ...common, code: 'CONFIG_KEY_UNKNOWN', what: unknownKey(entry) }]
      : [{ ...common, code: 'CONFIG_VALUE_INVALID', what: issue.message }];
  });
}

function unknownKey(entry: Entry): string {
  if (/pass(word|phrase)?$|secret|token/i.test(entry.key)) {
    return 'there is no such key; secrets never go into this file';
  }
  const near = didYouMean(entry.key, Object.keys(keysOf(entry.section)));
  const homes = Object.entries(SECTIONS).filter(([, { keys }]) => Object.hasOwn(keys, entry.key));
  const elsewhere = homes.map(([name]) => `[${name}]`).join(' or ');
  return `there is no such key${near !== '' || elsewhere === '' ? near : `; it belongs to ${elsewhere}`}`;
}

function placeOf(entry: Entry): Place {
  return { file: entry.file, line: entry.line };
}
