/** Goal: what a container cannot carry is refused before anything is sent, by the name of its field. */
import { expect, test } from 'vitest';
import { mountOption } from '../../../src/script/mounts.ts';
import { quote } from '../../../src/script/quote.ts';
import { commandText, scratchDir, taskScript } from '../../../src/script/task-script.ts';
import { aScript, TOKEN } from './samples.ts';

test.each([
  ['APPTAINER_BIND'],
  ['SINGULARITYENV_X'],
  ['TOWLINE_ATTEMPT'],
  ['APPEND_PATH'],
  ['1X'],
  ['A-B'],
  ['A=B'],
  [''],
  ['X;id'],
])('the variable %j is refused by name', (name) => {
  expect(() => taskScript(aScript({ env: { [name]: 'x' } }))).toThrow(
    expect.objectContaining({
      code: 'TASK_INVALID',
      message: expect.stringContaining(`env.${name}`),
    }),
  );
});

test.each(['PATH', 'LANG', 'ENVIRONMENT', '_x', 'LDFLAGS'])(
  'the variable %s may be set',
  (name) => {
    expect(taskScript(aScript({ env: { [name]: 'v' } }))).toContain(
      `export APPTAINERENV_${name}='v'\n`,
    );
  },
);

test.each(['LD_PRELOAD', 'BASH_ENV', 'ENV', 'IFS', 'HOME'])(
  'the variable %s is set by the shell of the image, and the runtime does not see it',
  (name) => {
    const script = taskScript(aScript({ env: { [name]: 'v' } }));
    expect(script).not.toContain(`ENV_${name}=`);
    expect(script).toContain(`export ${name}=`);
  },
);

test('values, arguments and paths that the kernel or the runtime cannot carry are refused', () => {
  const long = 'x'.repeat(131_072);
  expect(() => taskScript(aScript({ env: { A: 'a\0b' } }))).toThrow(/env\.A: .*NUL/);
  expect(() => taskScript(aScript({ env: { A: long } }))).toThrow(/env\.A: longer/);
  expect(() => taskScript(aScript({ command: { kind: 'argv', argv: ['a', long] } }))).toThrow(
    /command\[1\]: longer/,
  );
  expect(() => taskScript(aScript({ command: { kind: 'argv', argv: [] } }))).toThrow(/no program/);
  expect(() => taskScript(aScript({ env: { A: '$x' }, noEval: false }))).toThrow(
    /env\.A: .*evaluates/,
  );
  expect(() => mountOption({ source: 'rel', target: '/a', readonly: true })).toThrow(
    /not a usable absolute path/,
  );
  expect(() => mountOption({ source: '/a\rb', target: '/a', readonly: true })).toThrow(
    /not a usable absolute path/,
  );
  expect(() => quote('a\0b')).toThrow(/NUL/);
});

test('an older runtime gets the other prefix and no --no-eval', () => {
  const text = taskScript(
    aScript({ variablePrefix: 'SINGULARITY', noEval: false, defaultSignal: false }),
  );
  expect(text).toContain("export SINGULARITYENV_GREETING='hello world'\n");
  expect(text).not.toMatch(/no-eval|default-signal/);
});

test('extra arguments stand before the image, each one word', () => {
  const text = taskScript(aScript({ runtimeArgs: ['--bind', 'a b:c'] }));
  expect(text).toMatch(/'--bind' \\\n {2}'a b:c' \\\n {2}'[^']*mini\.sif'\n/);
});

test('the command file is the text itself, or the words to read', () => {
  expect(commandText({ kind: 'text', text: 'no newline at the end' })).toBe(
    'no newline at the end',
  );
  expect(commandText({ kind: 'argv', argv: ['a b', "it's"] })).toBe(`'a b' 'it'\\''s'\n`);
  expect(scratchDir('/scratch//', TOKEN)).toBe(`/scratch/towline-${TOKEN}`);
});
