/**
 * Goal: the registry and the code speak of the same errors. Method: every code that stands in the
 * sources as a literal, against the registry, both ways.
 */
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, ERRORS } from '../../src/domain/error-registry.ts';
import { readSources, type Source } from './sources.ts';

/** Becomes true when all rooms of the spine are there; until then unused codes are only counted. */
const EXPECT_ALL_USED: boolean = false;

/** Codes that no source says yet, each with the reason. */
const NOT_YET: Readonly<Record<string, string>> = {};

const REGISTRY = 'domain/error-registry.ts';
const KNOWN = new Set<string>(ERROR_CODES);

function thrownIn({ text }: Source): string[] {
  return [...text.matchAll(/new\s+AppError\(\s*['"`]([^'"`]*)['"`]/g)].map(([, code = '']) => code);
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
    const unused = ERROR_CODES.filter((code) => !named.has(code) && !Object.hasOwn(NOT_YET, code));
    expect(EXPECT_ALL_USED ? unused : []).toEqual([]);
    expect(Object.keys(NOT_YET).filter((code) => !KNOWN.has(code) || named.has(code))).toEqual([]);
    expect(ERROR_CODES.filter((code) => named.has(code)).length).toBeGreaterThan(20);
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
