/** Goal: generated documents are current. Method: what scripts/docs.ts would write, against what is there. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findDrift, GENERATORS } from '../../scripts/docs.ts';
import { VERSION } from '../../src/version.ts';

it('no generated document has drifted from its source (node scripts/docs.ts mends it)', async () => {
  expect(await findDrift(GENERATORS, join(import.meta.dirname, '../..'))).toEqual([]);
  expect(GENERATORS.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['docs/errors.md', 'docs/configuration.md']),
  );
});

it('a document that differs or is missing is named', async () => {
  const root = mkdtempSync(join(tmpdir(), 'towline-docs-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'docs'));
  writeFileSync(join(root, 'docs/same.md'), 'a');
  writeFileSync(join(root, 'docs/other.md'), 'b');
  const generators = ['same', 'other', 'none'].map((name) => ({
    path: `docs/${name}.md`,
    build: () => 'a',
  }));
  expect(await findDrift(generators, root)).toEqual(['docs/other.md', 'docs/none.md']);
});

it.each(['faults', 'troubleshooting', 'security', 'limits', 'parity'])(
  'every test that docs/%s.md names is there, by its title',
  (name) => {
    const root = join(import.meta.dirname, '../..');
    const page = readFileSync(join(root, `docs/${name}.md`), 'utf8');
    const named = [...page.matchAll(/`(test\/[\w./-]+)`((?: "[^"]+")*)/g)];
    const missing = named.flatMap(([, path = '', titles = '']) => {
      const file = join(root, path);
      if (!existsSync(file)) return [path];
      const text = titles === '' ? '' : readFileSync(file, 'utf8');
      return [...titles.matchAll(/"([^"]+)"/g)]
        .map(([, title = '']) => title)
        .filter((title) => !text.includes(title))
        .map((title) => `${path}: ${title}`);
    });
    expect(missing).toEqual([]);
    expect(named.length).toBeGreaterThan(5);
  },
);

it('the version that is told is the one of the package', () => {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  expect((JSON.parse(text) as { version: string }).version).toBe(VERSION);
});
