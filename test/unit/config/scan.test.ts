/**
 * Goal: nothing in a file is lost or changed without a word. Method: for each thing that the ini
 * package drops or changes, the line that does it, the code and the words that name it.
 */
import { describe, expect, it } from 'vitest';
import { complaints, load, refusal } from './support.ts';

const HEAD = '[host.vm]\n';

describe('what the ini package would lose is refused with its line', () => {
  it.each([
    [
      'text after ;',
      `${HEAD}setup = module load a; module load b`,
      'a.ini:2: [host.vm] setup: would lose everything from ";" on',
    ],
    [
      'text after #',
      `${HEAD}setup = a#b`,
      'a.ini:2: [host.vm] setup: would lose everything from "#" on',
    ],
    [
      'an inline comment',
      `${HEAD}\nport = 22 # the usual`,
      'a.ini:3: [host.vm] port: would lose everything from "#" on',
    ],
    ['an escaped #', `${HEAD}setup = a\\#b`, 'a.ini:2: [host.vm] setup: has a backslash before #'],
    [
      'a doubled backslash',
      `${HEAD}setup = a\\\\b`,
      'a.ini:2: [host.vm] setup: has a backslash before \\',
    ],
    [
      'a bare word',
      `${HEAD}enabled`,
      'a.ini:2: [host.vm]: "enabled" is not of the form key = value',
    ],
    ['a key without a name', `${HEAD}= x`, 'a.ini:2: [host.vm]: "" is not a key'],
    [
      'a list key',
      `${HEAD}user[] = x`,
      'a.ini:2: [host.vm]: "user[]" is not a key; a list is one line',
    ],
    ['__proto__ as a key', `${HEAD}__proto__ = x`, 'a.ini:2: [host.vm]: "__proto__" is not a key'],
    [
      'a key outside a section',
      'port = 22',
      'a.ini:1: "port = 22" stands before the first section',
    ],
    [
      'a key twice',
      `${HEAD}port = 22\n\nport = 23`,
      'a.ini:4: [host.vm] port: was set on line 2 already',
    ],
    [
      'a section twice',
      `${HEAD}[daemon]\n${HEAD}`,
      'a.ini:3: [host.vm]: the section was opened on line 1 already',
    ],
    ['an open section header', '[daemon', 'a.ini:1: "[daemon" is not a section header'],
    [
      'text after a section header',
      '[daemon] # us',
      'a.ini:1: [daemon]: text after the section header',
    ],
    [
      'an open double quote',
      `${HEAD}user = "alice`,
      'a.ini:2: [host.vm] user: has a double quote that is not closed',
    ],
    [
      'text after a double quote',
      `${HEAD}user = "a" b`,
      'a.ini:2: [host.vm] user: has a double quote that is not closed or text after',
    ],
    ['a lone double quote', `${HEAD}user = "`, 'a.ini:2: [host.vm] user: has a double quote'],
    [
      'an open single quote',
      `${HEAD}user = 'alice`,
      'a.ini:2: [host.vm] user: has a single quote that is not closed',
    ],
    ['a lone single quote', `${HEAD}user = '`, 'a.ini:2: [host.vm] user: has a single quote'],
    [
      'a single quote inside',
      `${HEAD}setup = 'it's'`,
      'a.ini:2: [host.vm] setup: has a single quote',
    ],
    [
      'JSON between single quotes',
      `${HEAD}setup = '["a"]'`,
      'a.ini:2: [host.vm] setup: the value would be changed when it is read',
    ],
    ['NUL', `${HEAD}user = a\u0000b`, 'a.ini:2: the line holds a control character'],
    [
      'a lone carriage return',
      `${HEAD}user = a\rport = 1`,
      'a.ini:2: the line holds a control character',
    ],
    [
      'an escaped newline',
      `${HEAD}setup = "a\\nb"`,
      'a.ini:2: [host.vm] setup: holds a control character',
    ],
    ['a line separator', `${HEAD}setup = a\u2028b`, 'a.ini:2: the line holds a control character'],
    [
      'a byte order mark in the middle',
      `${HEAD}\uFEFFport = 1`,
      'a.ini:2: the line holds a control character or a stray byte order mark',
    ],
  ])('%s', (_, text, start) => {
    const lines = complaints(text);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.slice(0, start.length)).toBe(start);
    expect(refusal(() => load(text)).code).toBe('CONFIG_SYNTAX');
  });

  it('bytes that are not UTF-8', () => {
    const bytes = Buffer.concat([
      Buffer.from('[daemon]\nlog_level = '),
      Buffer.from([0xff]),
      Buffer.from('\n'),
    ]);
    expect(complaints(bytes)).toEqual(['a.ini:2: the line is not UTF-8 text']);
  });

  it('an empty value, which is no syntax error', () => {
    expect(complaints(`${HEAD}user =`)).toEqual([
      'a.ini:2: [host.vm] user: is empty; give a value or remove the line',
    ]);
    expect(refusal(() => load(`${HEAD}user = ""`)).code).toBe('CONFIG_VALUE_INVALID');
  });
});

describe('what is harmless is taken', () => {
  it('a byte order mark at the beginning, CRLF, comments on their own lines, blanks around', () => {
    const text =
      '\uFEFF[daemon]\r\n; a comment\r\n  # another\r\n[ host.vm ]\r\n\r\n  user   =   alice  \r\n\tport=2222\r\n';
    expect(load(text).hosts['vm']).toMatchObject({ user: 'alice', port: 2222 });
  });

  it('an = and a quote inside a value', () => {
    expect(load(`${HEAD}setup = export A="b c" D=e`).hosts['vm']?.setup).toBe('export A="b c" D=e');
  });

  it('quoted values, each kind of quote by its own rule', () => {
    expect(load(`${HEAD}setup = 'a; b # \\ "c"'`).hosts['vm']?.setup).toBe('a; b # \\ "c"');
    expect(load(`${HEAD}setup = "it's \\"b\\"; \\\\#"`).hosts['vm']?.setup).toBe(`it's "b"; \\#`);
  });

  it('words that the ini package turns into other types', () => {
    const config = load('[host.vm]\nuser = null\nsetup = true\nmax_tasks = "7"\ncpus = \'2\'');
    expect(config.hosts['vm']).toMatchObject({ user: 'null', setup: 'true', maxTasks: 7, cpus: 2 });
  });

  it('a host named as a member of every object', () => {
    const config = load('[host.constructor]\nuser = a\n[host.toString]\nuser = b');
    expect(Object.keys(config.hosts)).toEqual(['constructor', 'toString']);
    expect(config.hosts['constructor']?.user).toBe('a');
  });
});
