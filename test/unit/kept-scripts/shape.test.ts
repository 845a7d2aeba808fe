/**
 * Goal: of the thousands of scripts that the tests generate one of each kind is kept, and none of another kind is lost.
 * Method: texts that differ in what varies have one shape; texts that differ in anything a checker minds have two.
 */
import { describe, expect, test } from 'vitest';
import { launchText } from '../../../src/script/launch.ts';
import { statusText } from '../../../src/script/status.ts';
import { taskScript } from '../../../src/script/task-script.ts';
import { keepingBuilt } from '../../support/kept-scripts/preload.mjs';
import { shapeOf } from '../../support/kept-scripts/shape.ts';
import { aLaunch, aScript } from '../script/samples.ts';

describe('one shape', () => {
  test('for words, ids and numbers of any kind', () => {
    const one = aScript({ command: { kind: 'argv', argv: ['echo', "it's one"] } });
    const other = aScript({ command: { kind: 'argv', argv: ['true', 'a', 'b'] }, env: { A: '1' } });
    expect(shapeOf(taskScript(other))).toBe(shapeOf(taskScript(one)));
    const at = (nonce: string) => shapeOf(launchText(aLaunch({ nonce, timeLimitMs: 5 })));
    expect(at('0123456789abcdef')).toBe(at('fedcba9876543210'));
  });

  test('for any number of attempts', () => {
    // few and many are two: of many one program tells which live
    const attempts = Array.from({ length: 50 }, (_, n) => ({ dir: `/t/${n}`, nonce: 'n', pid: n }));
    expect(shapeOf(statusText(attempts))).toBe(shapeOf(statusText(attempts.slice(0, 20))));
  });
});

test.each([
  ['a word that is not quoted', "echo 'a'", 'echo $a'],
  ['an expansion within quotes', "echo 'a'", "echo '$a'"],
  ['another command', 'rm "$a"', 'cat "$a"'],
  ['a line more', 'a=1\necho "$a"', 'a=1'],
  ['an apostrophe in a comment before it', "# it's\necho $a", '# it\'s\necho "$a"'],
])('two shapes for %s', (_, one, other) => {
  expect(shapeOf(other)).not.toBe(shapeOf(one));
});

describe('in the build', () => {
  const built = [
    '// src/cli/run/status-line.ts',
    'function statusText(event) { return undefined; }',
    '// src/script/status.ts',
    "function statusText$1(attempts) { return 'echo'; }",
    'function partText() { return 1; }',
    '// node_modules/zod/v4/core.js',
    'function startText() {}',
  ].join('\n');
  const added = keepingBuilt(built).slice(built.length);

  test('what makes a script is kept under its name, not its twin in another room', () => {
    expect(added).toContain('statusText$1 = (...all)');
    expect(added).toContain("towlineKeep?.('statusText', made)");
    expect(added).not.toContain('statusText =');
  });

  test('nothing else of the file is', () => {
    expect(added.trim().split('\n')).toHaveLength(1);
  });
});
