/**
 * Goal: many files are hashed and sent in the order asked whatever their names are, and what is no regular file is
 * told. Method: the real texts in every sh there is, with the system's tools and with busybox's.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hashFilesText, parseHashFiles } from '../../src/script/objects.ts';
import { NOT_A_FILE, sendFilesText } from '../../src/script/send-files.ts';
import { runText, SHELLS } from '../support/shells.ts';

const ODD = ["it's", 'a  b', '\\back\\slash', '-rf', '$(id)`id`', '*', '@ sum 0', 'ü\u2028', ' '];

async function house(shell: readonly string[]) {
  const dir = await mkdtemp('/tmp/towline send ');
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const bin = join(dir, 'bin');
  await mkdir(bin);
  if (shell[0] === 'busybox') execFileSync(shell[0], ['--install', '-s', bin]);
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
  const texts = [...ODD.map((name) => `content of ${name}\n`), '', 'x'.repeat(70_000)];
  const paths: string[] = [];
  // more than one program is given at once
  for (let n = 0; n < 900; n += 1) {
    const name = n < ODD.length ? (ODD[n] ?? '') : `${'long name '.repeat(8)}${n}`;
    paths.push(join(dir, name));
    await writeFile(join(dir, name), texts[n] ?? `text ${n}`);
  }
  const run = (text: string) => runText(text, shell, env);
  const bytes = (n: number): string => texts[n] ?? `text ${n}`;
  return { dir, paths, run, bytes };
}

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('with %s', (_, shell) => {
  test('files of all names are sent and hashed in order', async () => {
    const { paths, run, bytes } = await house(shell);
    const sent = await run(sendFilesText(paths));
    expect(sent.code).toBe(0);
    expect(sent.output === paths.map((_path, n) => bytes(n)).join('')).toBe(true);
    const { output } = await run(hashFilesText(paths));
    expect(parseHashFiles(output, { host: 'h', count: paths.length })).toEqual(
      paths.map((_path, n) => createHash('sha256').update(bytes(n)).digest('hex')),
    );
  });

  test('a link, a pipe, a directory or nothing at all is no file: nothing of it is sent or hashed', async () => {
    const { dir, paths, run } = await house(shell);
    await symlink('/etc/passwd', join(dir, 'link'));
    await mkdir(join(dir, 'directory'));
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    for (const name of ['link', 'pipe', 'directory', 'nowhere']) {
      const some = [...paths.slice(0, 3), join(dir, name), ...paths.slice(3, 5)];
      const sent = await run(sendFilesText(some));
      expect([sent.code, sent.output]).toEqual([NOT_A_FILE, '']);
      const { output } = await run(hashFilesText(some));
      expect(output).toContain('@ unread 3');
      expect(output.match(/@ sum \d+/g)).toEqual([
        '@ sum 0',
        '@ sum 1',
        '@ sum 2',
        '@ sum 4',
        '@ sum 5',
      ]);
      expect(() => parseHashFiles(output, { host: 'h', count: 6 })).toThrow(
        'file 3 cannot be read',
      );
    }
  });
});
