/**
 * Goal: no value whatever breaks out of its place in a text. Method: fast-check against the real
 * readers: every sh there is, and a CSV reader for mounts.
 */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAppError } from '../../src/domain/failure.ts';
import type { StagedFile } from '../../src/domain/state.ts';
import { imageKey, parseImage } from '../../src/script/image-ref.ts';
import { placeInputs } from '../../src/script/input-places.ts';
import { mountOption } from '../../src/script/mounts.ts';
import { quoteAll } from '../../src/script/quote.ts';
import { splitReply } from '../../src/script/reply.ts';
import { SHELLS } from '../support/shells.ts';
import { HOSTILE_WORDS } from '../unit/script/samples.ts';

const word = fc
  .oneof(
    fc.constantFrom(...HOSTILE_WORDS),
    fc.string({ unit: 'binary' }),
    fc
      .array(fc.constantFrom("'", '"', '\\', '$', '`', '\n', ' ', 'a', '-', '*', '!'), {
        maxLength: 12,
      })
      .map((c) => c.join('')),
  )
  .filter((text) => !text.includes('\0') && text.isWellFormed());

describe.each(SHELLS)('%s %s', (...shell) => {
  const [program = 'sh', ...args] = shell.filter((part) => part !== undefined);

  test('quoted words are read back byte for byte, and run nothing', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), (words) => {
        const text = `for w in ${quoteAll(words)}; do printf '%s\\0' "$w"; done`;
        const result = spawnSync(program, args, { input: text, encoding: 'utf8' });
        expect(result.stdout.split('\0').slice(0, -1)).toEqual(words);
        expect(result.stderr).toBe('');
      }),
      { numRuns: 60 },
    );
  });
});

test('a mount is one CSV record of exactly the fields asked for', () => {
  const path = word.filter((text) => !text.includes('\r')).map((text) => `/${text}`);
  fc.assert(
    fc.property(path, path, fc.boolean(), (source, target, readonly) => {
      const fields = ['type=bind', `src=${source}`, `dst=${target}`, ...(readonly ? ['ro'] : [])];
      expect(readCsv(mountOption({ source, target, readonly }))).toEqual(fields);
    }),
    { numRuns: 2000 },
  );
});

/** As Go's encoding/csv reads one record: quotes around whole fields only, doubled inside. */
function readCsv(record: string): string[] {
  const fields: string[] = [];
  let rest = record;
  while (true) {
    const match = rest.startsWith('"')
      ? /^"((?:[^"]|"")*)"(,|$)/s.exec(rest)
      : /^([^",\n]*)(,|$)/.exec(rest);
    if (match === null) throw new Error(`no field: ${rest}`);
    fields.push((match[1] ?? '').replaceAll('""', '"'));
    rest = rest.slice(match[0].length);
    if (match[2] === '') return fields;
  }
}

test('any image reference is either understood or refused with its own code; keys are safe names', () => {
  const text = fc.oneof(
    word,
    fc
      .array(
        fc.constantFrom(
          'docker://',
          'oras://',
          'a',
          'b.c',
          ':',
          '/',
          '@sha256:',
          '..',
          '5000',
          'f'.repeat(64),
          '.sif',
        ),
        { maxLength: 7 },
      )
      .map((p) => p.join('')),
  );
  fc.assert(
    fc.property(text, (reference) => {
      try {
        const ref = parseImage(reference);
        expect(imageKey(ref)).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/);
        expect(parseImage(ref.reference)).toEqual(ref);
      } catch (error) {
        if (!isAppError(error)) throw error;
        expect(error.code).toBe('IMAGE_REFERENCE_INVALID');
      }
    }),
    { numRuns: 3000 },
  );
});

test('places of inputs never leave their trees and never collide', () => {
  const target = fc
    .tuple(
      fc.boolean(),
      fc.array(fc.constantFrom('a', 'b', 'c', '..', '.', ''), { minLength: 1, maxLength: 4 }),
    )
    .map(([absolute, parts]) => (absolute ? '/' : '') + parts.join('/'));
  const file = fc
    .tuple(target, fc.constantFrom('object', 'directory', 'remote'))
    .map(([at, kind]): StagedFile => {
      if (kind === 'object') return { kind, sha256: 'ab', mode: 0o644, target: at, bytes: 1 };
      return kind === 'directory'
        ? { kind, target: at }
        : { kind: 'remote', path: '/r', target: at };
    });
  fc.assert(
    fc.property(fc.array(file, { maxLength: 6 }), (files) => {
      let plan: ReturnType<typeof placeInputs>;
      try {
        plan = placeInputs(files);
      } catch (error) {
        if (!isAppError(error)) throw error;
        return;
      }
      const places = plan.places.flatMap((place) => ('place' in place ? [place] : []));
      for (const { place } of places) {
        expect(place).toMatch(/^(inputs|mounts\/\d+)(\/|$)/);
        expect(place.split('/')).not.toContain('..');
      }
      const files_ = places
        .filter((place) => place.kind !== 'directory')
        .map((place) => place.place);
      expect(new Set(files_).size).toBe(files_.length);
      for (const path of files_) {
        expect(
          places.some((other) => other.place.startsWith(`${path}/`)),
          `${path} is no directory`,
        ).toBe(false);
      }
    }),
    { numRuns: 3000 },
  );
});

test('no noise around a reply is taken for one', () => {
  fc.assert(
    fc.property(fc.array(word.filter((text) => !/^@ \S/m.test(text))), (noise) => {
      const { lines } = splitReply([...noise, '@ verb a b', ...noise].join('\n'));
      expect(lines).toEqual([{ verb: 'verb', rest: 'a b' }]);
    }),
  );
});
