/** Goal: nobody breaks a launch by a word for sbatch, in any of its spellings. Method: tables. */
import { describe, expect, it } from 'vitest';
import {
  ACCOUNT,
  CONSTRAINT,
  PARTITION,
  QOS,
  sbatchWordProblem,
} from '../../../../src/domain/slurm/sbatch-words.ts';

describe('words for sbatch', () => {
  it.each([
    ...['--exclude=node[1-3]', '--gres=gpu:a100:1', '--mem=4G', '--mem-per-cpu=1G', '--time=10'],
    ...['--exclusive', '--exclusive=user', '--nice', '--nodes=2', '--ntasks=4', '--partition=long'],
    ...['--mail-type=FAIL', '--mail-user=a@b.example', '--comment=a b $(c) `d` \'e\' "f"'],
    ...['--wait-all-nodes=1', '--signal=B:TERM@60', '--licenses=a:1', '--container-image=x'],
    '--reservation=größe',
  ])('%s may be said', (word) => {
    expect(sbatchWordProblem(word)).toBeUndefined();
  });

  it.each([
    ...['--parsable', '--no-requeue', '--requeue', '--wrap=id', '--array=0-9', '--job-name=x'],
    ...['--output=/etc/x', '--error=x', '--open-mode=truncate', '--dependency=singleton'],
    ...['--export=ALL', '--export-file=x', '--chdir=/', '--workdir=/', '--test-only', '--hold'],
    ...['--wait', '--input=x', '--clusters=all', '--cluster=b', '--container=x', '--help'],
  ])('%s is refused: the launch needs it as it is', (word) => {
    expect(sbatchWordProblem(word)).toContain('is not for you to set');
  });

  it.each([
    ...[
      '--par',
      '--no-r',
      '--req',
      '--wra=id',
      '--arr=1',
      '--job=x',
      '--out=x',
      '--err=x',
      '--op=t',
    ],
    ...['--dep=1', '--exp=A', '--chd=/', '--test', '--hol', '--wai', '--inp=x', '--cl=b', '--e=x'],
  ])('%s is refused: sbatch takes it for the whole word', (word) => {
    expect(sbatchWordProblem(word)).toMatch(/which may stand for --[a-z-]+, is not for you to set/);
  });

  it('an abbreviation of what is looked at by name has to be written in full', () => {
    expect(sbatchWordProblem('--parti=x')).toBe('--parti: write it in full: --partition');
    expect(sbatchWordProblem('--mem-per-c=1G')).toBe(
      '--mem-per-c: write it in full: --mem-per-cpu',
    );
  });

  it.each([
    ...[
      '-J',
      '-Jx',
      '-o/etc/x',
      '-a1',
      '-W',
      '-p',
      'job.sh',
      ':',
      '',
      '--',
      '-',
      '---x',
      '--=x',
      '—x',
    ],
    ...['--Wrap=x', '--wrap =x', '--x y', ' --exclusive', '--_x=1'],
  ])('%j is refused: only --name=value is taken', (word) => {
    expect(sbatchWordProblem(word)).toContain('is not of the form --name=value');
  });

  it.each(['--gres', '--partition', '--exclude', '--mem', '--gres='])(
    '%s is refused: it would take the next word for its value',
    (word) => {
      expect(sbatchWordProblem(word)).toContain('has no value');
    },
  );

  it.each(['--comment=a\nb', '--comment=\0', '--comment=\u001b[31m', '--comment=\ud800'])(
    '%j is refused: it holds what no word may hold',
    (word) => {
      expect(sbatchWordProblem(word)).toContain('holds control characters');
    },
  );
});

describe('names', () => {
  it.each([
    ['partition', PARTITION, ['short', 'gpu-a100', 'a,b', 'cpu_1.2', 'A+']],
    ['account', ACCOUNT, ['lab42', 'u@x', 'a.b-c']],
    ['QOS', QOS, ['normal', 'high_prio']],
    ['constraint', CONSTRAINT, ['intel', 'intel&ib', '[rack1|rack2]', '(a&b)|c', 'a*2&b*4']],
  ])('%s', (_, pattern, good) => {
    expect(good.filter((text) => !pattern.test(text))).toEqual([]);
    const bad = [
      '',
      ' ',
      '-x',
      '--wrap=id',
      'x --wrap=id',
      'x\n',
      "x'",
      'x"',
      '$(x)',
      '`x`',
      'x;y',
      'x/../y',
    ];
    expect(bad.filter((text) => pattern.test(text))).toEqual([]);
  });
});
