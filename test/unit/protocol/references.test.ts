/** Goal: a reference means one input and one path, in every place and however it is quoted. Method: tasks as data. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSpec } from '../../../src/protocol/parse-spec.ts';

const parse = (more: object) => parseSpec({ image: 'docker://a:1', command: 'true', ...more });
const taken = (more: object) =>
  parse(more).inputs.map(({ source, target }) =>
    source.kind === 'output' ? [source.task, source.path, target] : source,
  );
const text = (command: string) => {
  const spec = parse({ command });
  return spec.command.kind === 'text' ? spec.command.text : '';
};

describe('in a text', () => {
  test.each([
    ['cat workflow:///A/x > y', 'cat /mnt/task/inputs/A/x > y'],
    ["cat 'workflow:///A/a b'|wc", "cat '/mnt/task/inputs/A/a b'|wc"],
    [`cat 'workflow:///A/it%27s'`, `cat '/mnt/task/inputs/A/it'\\''s'`],
    ['cat "workflow:///A/$x `y`"', 'cat "/mnt/task/inputs/A/\\$x \\`y\\`"'],
    ['cat --in=workflow:///A/x;ls', 'cat --in=/mnt/task/inputs/A/x;ls'],
    ['cat workflow:///A/d/*.txt', 'cat /mnt/task/inputs/A/d/*.txt'],
    ['(cat workflow:///A/x workflow:///B/x)', '(cat /mnt/task/inputs/A/x /mnt/task/inputs/B/x)'],
    ['ls workflow:///A/.', 'ls /mnt/task/inputs/A'],
  ])('%s', (command, expected) => {
    expect(text(command)).toBe(expected);
  });

  test('it makes an input and an edge, once', () => {
    const command = 'cat workflow:///A/x workflow:///A/x workflow:///B/d/*.txt workflow:///C/*';
    expect(taken({ command })).toEqual([
      ['A', 'x', 'A/x'],
      ['B', 'd/*.txt', 'B/d'],
      ['C', '*', 'C'],
    ]);
    expect(parse({ command, after: ['B', 'Z'] }).after).toEqual(['B', 'Z', 'A', 'C']);
  });

  test('in quotes of its own any path is one word for the shell', () => {
    const path = fc
      .string({ unit: 'grapheme-composite', minLength: 1, maxLength: 30 })
      .filter((one) => !/[\0/*?[{]/.test(one) && one !== '.' && one !== '..' && one.isWellFormed());
    fc.assert(
      fc.property(path, fc.constantFrom("'", '"'), (name, quote) => {
        const uri = encodeURIComponent(name).replaceAll("'", '%27');
        const command = text(`printf %s ${quote}workflow:///A/${uri}${quote}`);
        const word = execFileSync('sh', ['-c', command], { encoding: 'utf8' });
        expect(word).toBe(`/mnt/task/inputs/A/${name}`);
      }),
      { numRuns: 60 },
    );
  });
});

test('in a list a word that begins with it is the reference, any other is read as a text', () => {
  const command = ['cat', 'workflow:///A/a b"c', '--in=workflow:///A/x'];
  expect(parse({ command }).command).toEqual({
    kind: 'argv',
    argv: ['cat', '/mnt/task/inputs/A/a b"c', '--in=/mnt/task/inputs/A/x'],
  });
});

test('inputs, stdin, binds and values of env', () => {
  const spec = parse({
    inputs: [
      'workflow:///A/a:b',
      { path: 'workflow:///A/c/', target: '/data/c' },
      'workflow:///A/.',
    ],
    stdin: 'workflow:///B/in',
    binds: ['workflow:///C/ref:/ref:ro', '/scratch:/scratch'],
    env: { X: 'workflow:///D/x', Y: 'see workflow:///D/x' },
  });
  expect(spec.inputs.map(({ source, target }) => [source, target])).toEqual([
    [{ kind: 'output', task: 'A', path: 'a' }, 'b'],
    [{ kind: 'output', task: 'A', path: 'c' }, '/data/c'],
    [{ kind: 'output', task: 'A', path: '.' }, 'A'],
    [{ kind: 'output', task: 'C', path: 'ref' }, '/ref'],
    [{ kind: 'output', task: 'D', path: 'x' }, 'D/x'],
  ]);
  expect(spec.stdin).toEqual({ kind: 'output', task: 'B', path: 'in' });
  expect(spec.binds).toEqual([{ source: '/scratch', target: '/scratch', readonly: false }]);
  expect(spec.env).toEqual({ X: '/mnt/task/inputs/D/x', Y: 'see workflow:///D/x' });
  expect(spec.after).toEqual(['A', 'C', 'D', 'B']);
});

test.each([
  [{ inputs: ['workflow://wf/A/x'] }, 'must be workflow:///TASK/PATH'],
  [{ inputs: ['workflow:///A'] }, 'must be workflow:///TASK/PATH'],
  [{ inputs: ['workflow:///A/../x'] }, 'without ..'],
  [{ inputs: ['workflow:///A/%zz'] }, 'a literal % is %25'],
  [{ binds: ['workflow:///A/x:/x:rw'] }, 'binds[0] is an output of a task'],
  [{ command: 'cat workflow:///A/a%20b' }, 'give it quotes of its own'],
  [{ command: ['cat', 'workflow:///A/*'] }, 'command[1] is a pattern'],
])('%j is refused', (more, why) => {
  expect(() => parse(more)).toThrow(why);
});
