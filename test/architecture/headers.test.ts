/**
 * Goal: each room's front file says what comes in, what goes out and what is never done there. Method:
 * its first comment, for the file that room-table.ts names.
 */
import { expect, it } from 'vitest';
import { ROOMS } from './room-table.ts';
import { readSources, roomOf } from './sources.ts';

const sources = readSources();
const present = Object.keys(ROOMS).filter((room) =>
  sources.some(({ path }) => roomOf(path) === room),
);

/** What a header lacks of what it has to say. */
function missingIn(text: string | undefined): string[] {
  const header = /^(?:#![^\n]*\n)?\/\*\*([\s\S]*?)\*\//
    .exec(text ?? '')?.[1]
    ?.replaceAll(/\s*\n\s*\*\s?/g, ' ');
  if (header === undefined) return ['a header comment'];
  return ['comes in', 'goes out', 'never'].filter((words) => !header.toLowerCase().includes(words));
}

it('the check sees a file without a header, and one that says half', () => {
  expect(missingIn(undefined)).toEqual(['a header comment']);
  expect(missingIn("import 'a';\n/** What comes in. */")).toEqual(['a header comment']);
  expect(missingIn('/** What comes in: a. What\n * goes out: b. */')).toEqual(['never']);
  expect(missingIn('/**\n * What comes\n * in: a. What goes out: b. Never here: c.\n */')).toEqual(
    [],
  );
});

it.each(present)('%s has a front file with a header', (room) => {
  const front = `${room}/${ROOMS[room]?.front}`;
  const source = sources.find(({ path }) => path === front);
  expect({ front, there: source !== undefined, missing: missingIn(source?.text) }).toEqual({
    front,
    there: true,
    missing: [],
  });
});
