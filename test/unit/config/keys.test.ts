/** Goal: the table of keys is whole, and the files made from it are current. Method: every row, both files. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configurationMarkdown, exampleIni } from '../../../scripts/docs/configuration.ts';
import { COMPUTED } from '../../../src/config/computed.ts';
import { SECTIONS } from '../../../src/config/keys.ts';
import { HOME, load } from './support.ts';

const ROWS = Object.entries(SECTIONS).flatMap(([section, { keys }]) =>
  Object.entries(keys).map(([key, row]) => ({ id: `${section}.${key}`, key, row })),
);

describe('the table', () => {
  it.each(ROWS)('$id: example and default fit, and the sentence ends', ({ id, row }) => {
    const schema = row.type.schema({ home: HOME });
    const text = row.example.replace(/^'(.*)'$/, '$1');
    const parsed = schema.parse(text);
    expect(schema.parse(row.type.format(parsed))).toEqual(parsed);
    const written = 'default' in row.otherwise ? row.otherwise.default : undefined;
    const rewritten = written === undefined ? undefined : row.type.format(schema.parse(written));
    expect(rewritten?.replaceAll(HOME, '~')).toBe(written);
    expect(row.example).not.toBe(written);
    expect('computed' in row.otherwise).toBe(Object.hasOwn(COMPUTED, id));
    expect(row.doc).toMatch(/^\S.*\.$/);
  });

  it('has no field twice in a section, and nothing is computed that is not in it', () => {
    for (const { keys } of Object.values(SECTIONS)) {
      const fields = Object.values(keys).map((row) => row.field);
      expect(new Set(fields).size).toBe(fields.length);
    }
    expect(Object.keys(COMPUTED).filter((id) => !ROWS.some((row) => row.id === id))).toEqual([]);
  });
});

describe('config/towline.example.ini', () => {
  const text = readFileSync(
    new URL('../../../config/towline.example.ini', import.meta.url),
    'utf8',
  );

  it('is what the table says now (node scripts/docs.ts writes it)', () => {
    expect(text).toBe(exampleIni());
  });

  it('has every key', () => {
    const missing = ROWS.filter(({ key }) => !new RegExp(`^#?${key} = `, 'm').test(text));
    expect(missing.map(({ id }) => id)).toEqual([]);
  });

  it('changes nothing as it is', () => {
    const { files: _, ...asItIs } = load(text);
    const { files: __, ...empty } = load('');
    expect(asItIs).toEqual(empty);
  });

  it('loads with all comments taken away, and every example then counts', () => {
    const config = load(text.replaceAll(/^#(?=\S)/gm, ''));
    expect(Object.keys(config.hosts)).toEqual(['vm', 'ssh', 'here']);
    // The second login node of the example has all of its host once more.
    const own = Object.entries(config.sources).filter(([key]) => !key.startsWith('node.'));
    const fromFile = own.filter(([, source]) => source !== 'default');
    // ssh_config of [defaults] counts for two hosts more, and the jump host has four values of its line.
    expect(fromFile.length).toBe(ROWS.length + 2 + 2 + 4);
  });
});

it('docs/configuration.md is what the table says now (node scripts/docs.ts writes it)', () => {
  const text = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
  expect(text).toBe(configurationMarkdown());
  for (const { key } of ROWS) expect(text).toContain(`| \`${key}\` |`);
});
