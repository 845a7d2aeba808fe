/**
 * Goal: whatever the shape of a workflow, each part waits for all parts of what its task waits for, and
 * names are unique. Method: random graphs without circles, random scatters, a model of the counts.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { graphOf } from '../../src/workflow/graph.ts';
import { readWorkflowText } from '../../src/workflow/read.ts';

/** Task i waits for some of those before it; 0 parts: not scattered. */
const shapes = fc
  .array(
    fc.record({
      parts: fc.integer({ min: 0, max: 4 }),
      picks: fc.array(fc.nat(), { maxLength: 4 }),
    }),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((raw) =>
    raw.map(({ parts, picks }, index) => ({
      parts,
      after: index === 0 ? [] : [...new Set(picks.map((pick) => pick % index))],
    })),
  );
/** `${` would ask for a parameter. */
const items = fc
  .string({ unit: 'grapheme' })
  .map((text) => text.replaceAll('$', 'S').replaceAll('\0', '0'));

test('each part waits for all parts of its predecessors, items arrive as they are', () => {
  fc.assert(
    fc.property(shapes, fc.array(items, { minLength: 4, maxLength: 4 }), (shape, words) => {
      const tasks = shape.map(({ parts, after }, index) => {
        const scatter = { over: words.slice(0, parts), as: 'item' };
        const rest = { after: after.map((other) => `t${other}`), image: 'i' };
        const task =
          parts === 0
            ? { ...rest, command: ['x'] }
            : { ...rest, command: ['x', '${item}'], scatter };
        return [`t${index}`, task];
      });
      const text = JSON.stringify({ name: 'x', tasks: Object.fromEntries(tasks) });
      const read = readWorkflowText(text, { set: {}, directory: '/' });
      if ('problems' in read) throw new Error(JSON.stringify(read.problems));
      const { manifest, expanded } = read;

      const namesOf = (index: number): string[] => {
        const parts = shape[index]?.parts ?? 0;
        return parts === 0
          ? [`t${index}`]
          : Array.from({ length: parts }, (_, i) => `t${index}.${i}`);
      };
      const made = new Map(expanded.tasks.map((task) => [task.name, task]));
      expect([...made.keys()]).toEqual(shape.flatMap((_, index) => namesOf(index)));
      for (const [index, { after, parts }] of shape.entries()) {
        for (const [part, name] of namesOf(index).entries()) {
          const task = made.get(name);
          expect(task?.after ?? []).toEqual(after.flatMap(namesOf));
          if (parts > 0) expect(task?.command).toEqual(['x', words[part]]);
        }
      }
      const levels = new Map(graphOf(manifest, expanded).map(({ name, level }) => [name, level]));
      for (const [index, { after }] of shape.entries()) {
        const before = after.map((other) => levels.get(`t${other}`) ?? 0);
        expect(levels.get(`t${index}`)).toBe(Math.max(-1, ...before) + 1);
      }
    }),
  );
});
