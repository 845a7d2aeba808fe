/** A text that runs where the job runs arrives there as it is. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withinText } from '../../../../src/scheduler/slurm/within.ts';

test.each(['echo it\'s "$HOME" `id` \\', 'a\nb', '--help'])('%j is one word for srun', (text) => {
  const bin = mkdtempSync(join(tmpdir(), 'srun '));
  const srun = '#!/bin/sh\n# fake srun: its words, each ended by a NUL\nprintf "%s\\0" "$@"\n';
  writeFileSync(join(bin, 'srun'), srun, { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
  const run = (tty: boolean) =>
    spawnSync('sh', ['-c', withinText({ id: '12_3' }, text, tty)], { env })
      .stdout.toString()
      .split('\0')
      .slice(0, -1);
  expect(run(false).slice(-3)).toEqual(['/bin/sh', '-c', text]);
  expect(run(false)).toEqual(expect.arrayContaining(['--jobid=12_3', '--overlap']));
  expect(run(false)).not.toContain('--pty');
  expect(run(true)).toContain('--pty');
});
