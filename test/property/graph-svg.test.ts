/**
 * Goal: a drawn graph can be read whatever it is of: boxes apart and inside the picture, labels inside boxes,
 * edges forward, names no markup. Method: graphs by chance; numbers read back out of the SVG.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { columnsOf } from '../../src/domain/columns.ts';
import { layOut } from '../../src/workflow/graph-layout.ts';
import { crossingsOf, orderLevels } from '../../src/workflow/graph-order.ts';
import { graphFile } from '../../src/workflow/graph-svg.ts';
import { levelsOf } from '../../src/workflow/levels.ts';

/** Each task may wait for those before it. */
const graphs = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 40 })
  .map((rows) => {
    const nodes = rows.map((row, index) => ({
      name: `t${index}`,
      after: index === 0 ? [] : [...new Set(row.map((other) => `t${other % index}`))],
    }));
    const levels = levelsOf(new Map(nodes.map((node) => [node.name, node])));
    return nodes.map((node) => ({ ...node, level: levels.get(node.name) ?? -1 }));
  });

it('boxes are inside the picture and do not touch; edges go forward', () => {
  fc.assert(
    fc.property(graphs, (nodes) => {
      const sized = nodes.map((node, n) => ({ ...node, width: 40 + ((n * 37) % 150), height: 30 }));
      const { corners, width, height, ways, isAcross } = layOut(sized);
      const boxes = sized.map((node) => ({
        ...node,
        ...(corners.get(node.name) ?? { x: -1, y: -1 }),
      }));
      for (const box of boxes) {
        expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(width);
        expect(box.y + box.height).toBeLessThanOrEqual(height);
      }
      for (const [index, a] of boxes.entries())
        for (const b of boxes.slice(index + 1)) {
          const isApart =
            a.x + a.width + 5 <= b.x ||
            b.x + b.width + 5 <= a.x ||
            a.y + 35 <= b.y ||
            b.y + 35 <= a.y;
          expect(isApart, `${a.name} and ${b.name}`).toBe(true);
        }
      expect(ways).toHaveLength(nodes.reduce((sum, { after }) => sum + after.length, 0));
      for (const way of ways) {
        const mains = way.map(({ x, y }) => (isAcross ? x : y));
        expect(mains).toEqual(mains.toSorted((one, other) => one - other));
      }
    }),
    { numRuns: 100 },
  );
});

it('fewer edges cross than in the order of the file, never more', () => {
  let [before, after] = [0, 0];
  fc.assert(
    fc.property(graphs, (nodes) => {
      const { levels } = orderLevels(nodes);
      // in the order of the file: nodes as they come, each bend at the end of its level
      const position = new Map(nodes.map(({ name }, index) => [name, index]));
      const asWritten = levels.map((level) =>
        level.toSorted(
          (a, b) => (position.get(a.name ?? '') ?? 99) - (position.get(b.name ?? '') ?? 99),
        ),
      );
      expect(levels.flat()).toHaveLength(new Set(levels.flat()).size);
      before += crossingsOf(asWritten);
      after += crossingsOf(levels);
    }),
    { numRuns: 100, seed: 7 },
  );
  expect(after).toBeLessThan(before / 2);
});

it('two edges that need not cross do not', () => {
  const nodes = ['a', 'b'].map((name) => ({ name, after: [] as string[], level: 0 }));
  const turned = [
    { name: 'of-b', after: ['b'], level: 1 },
    { name: 'of-a', after: ['a'], level: 1 },
  ];
  expect(crossingsOf(orderLevels([...nodes, ...turned]).levels)).toBe(0);
  // each waits for both: one crossing cannot be helped
  const both = turned.map((node) => ({ ...node, after: ['a', 'b'] }));
  expect(crossingsOf(orderLevels([...nodes, ...both]).levels)).toBe(1);
});

const TEXT = /<text x="([\d.]+)"[^>]*>([^<]*)<\/text>/;
const INNER = /<svg x="[\d.]+" y="[\d.]+" width="(\d+)" height="\d+">(.*?)<\/svg>/gs;

it('labels fit their boxes, names cannot become markup, and every tag is closed', () => {
  const names = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
    fc.constantFrom(
      '</text><script>alert(1)</script>',
      '日本語'.repeat(20),
      '"><x',
      '\u202egnp.exe',
      '\u001b[31m',
    ),
  );
  fc.assert(
    fc.property(fc.uniqueArray(names, { minLength: 1, maxLength: 5 }), (all) => {
      const nodes = all.map((name, n) => ({
        name,
        after: n === 0 ? [] : [all[0] ?? ''],
        level: n === 0 ? 0 : 1,
        parts: n === 1 ? 300 : undefined,
      }));
      const svg = graphFile(all[0] ?? '', nodes);
      const inner = [...svg.matchAll(INNER)];
      expect(inner).toHaveLength(all.length);
      for (const [, width, text = ''] of inner) {
        const [, x, label = ''] = TEXT.exec(text) ?? [];
        const shown = label.replaceAll(/&(?:#39|\w+);/g, '?');
        expect(2 * Number(x) + columnsOf(shown) * 7.23).toBeLessThanOrEqual(Number(width));
      }
      expect(svg).not.toContain('<script');
      expect(unclosed(svg)).toEqual([]);
      expect(/(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}]/u.test(svg)).toBe(false);
    }),
    { numRuns: 60 },
  );
});

/** Tags that are open at the end, or closed and never opened; what stands between them holds no < or bare &. */
function unclosed(svg: string): string[] {
  const open: string[] = [];
  for (const [, slash, tag = '', , selfClosed] of svg.matchAll(
    /<(\/?)([a-z]+)((?:\s[\w:-]+="[^"<]*")*)\s*(\/?)>/g,
  )) {
    if (selfClosed === '/') continue;
    if (slash === '') open.push(tag);
    else if (open.pop() !== tag) return [`/${tag}`];
  }
  const rest = svg.replaceAll(/<(\/?)([a-z]+)((?:\s[\w:-]+="[^"<]*")*)\s*(\/?)>/g, '');
  return /<|&(?!(?:amp|lt|gt|quot|#39);)/.test(rest.replace(/svg\{[\s\S]*\n\n?/, ''))
    ? ['text']
    : open;
}
