/**
 * Goal: the registry and the code speak of the same errors. Method: every code that stands in the
 * sources as a literal, against the registry, both ways.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, ERRORS } from '../../src/domain/error-registry.ts';
import { PROVOKED } from './provoked.ts';
import { readSources, type Source } from './sources.ts';

const REGISTRY = 'domain/error-registry.ts';
const KNOWN = new Set<string>(ERROR_CODES);

function thrownIn({ text }: Source): string[] {
  return [...text.matchAll(/new\s+(?:App|Towline)Error\(\s*['"`]([^'"`]*)['"`]/g)].map(
    ([, code = '']) => code,
  );
}

/** Codes also stand in tables (classification) and returned records, so any literal counts. */
function namedIn({ text }: Source): string[] {
  return [...text.matchAll(/(?<=['"`])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*(?=['"`])/g)].map(
    ([code]) => code,
  );
}

describe('error codes', () => {
  const sources = readSources().filter(({ path }) => path !== REGISTRY);

  it('each one that is thrown is in the registry', () => {
    const unknown = sources.flatMap((source) =>
      thrownIn(source)
        .filter((code) => !KNOWN.has(code))
        .map((code) => `${source.path}: ${code}`),
    );
    expect(unknown).toEqual([]);
    expect(sources.flatMap(thrownIn).length).toBeGreaterThan(20);
  });

  it('each one of the registry is said somewhere', () => {
    const named = new Set(sources.flatMap(namedIn));
    expect(ERROR_CODES.filter((code) => !named.has(code))).toEqual([]);
  });

  it('each one has a test that provokes it', () => {
    const without = ERROR_CODES.filter((code) => {
      const [file, title] = PROVOKED[code];
      const path = join(import.meta.dirname, '..', file);
      const text = file !== '' && existsSync(path) ? readFileSync(path, 'utf8') : '';
      return title === '' || !text.includes(title) || !new RegExp(`\\b${code}\\b`).test(text);
    });
    expect(without).toEqual([]);
  });

  it('each one says what it means and what to do', () => {
    const incomplete = ERROR_CODES.filter((code) => {
      const { what, hint } = ERRORS[code];
      return (
        !/^[A-Z].*\.$/.test(what) || hint === '' || !/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/.test(code)
      );
    });
    expect(incomplete).toEqual([]);
  });

  it('the scan sees codes however they are written', () => {
    const text = "throw new AppError(\n  'A_B', `x`);\nconst row = ['C_D', \"E\"];";
    expect(thrownIn({ path: 'x.ts', text })).toEqual(['A_B']);
    expect(namedIn({ path: 'x.ts', text })).toEqual(['A_B', 'C_D', 'E']);
  });
});
