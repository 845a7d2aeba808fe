/**
 * Goal: what each verb prints, in text and JSON, and how it ends. Method: the real command as a
 * process over a real socket, a fake engine behind it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import type { TaskId } from '../../../src/domain/task.ts';
import type { ErrorView, PruneView, TaskView } from '../../../src/protocol/views.ts';
import { REPO } from '../../support/bed.ts';
import { FakeDaemon } from '../../support/fake-daemon.ts';
import { openTerminal } from '../../support/test-terminal.ts';

let daemon: FakeDaemon;
beforeEach(async () => {
  daemon = new FakeDaemon();
  await daemon.start();
});
afterEach(() => daemon.end());

const out = async (...args: string[]): Promise<string> =>
  (await daemon.cli(args)).stdout.toString();
const specs = () => [...daemon.service.entries.values()].map(({ task }) => task.spec);

async function submitOne(...options: string[]): Promise<string> {
  return (await out('submit', ...options, 'docker://mini', '--', 'cmd', 'a b')).trim();
}

describe('submit', () => {
  it('sends every option as it is meant', async () => {
    const result = await daemon.cli([
      'submit',
      '--host',
      'vm',
      '--name',
      'n',
      '--env',
      'A=x=y',
      '--env',
      'HOME_SET',
      '--input',
      'in.txt:data/in.txt',
      '--input',
      'remote:/scratch/big',
      '--output',
      'out/r.txt',
      '--output',
      'out/*.csv',
      '--output',
      'a.log:/tmp/logs/',
      '--overwrite',
      '--bind',
      '/scratch:/scratch:ro',
      '--cpus',
      '2',
      '--memory',
      '1GiB',
      '--time',
      '10m',
      '--keep',
      '--retries',
      '2',
      '--retry-on',
      'exit,time-limit',
      '--accept-exit',
      '0,3',
      '--runtime-arg',
      '--nv',
      '--priority',
      '-5',
      '--tag',
      'run=7',
      '--hold',
      'docker://mini',
      '--',
      'sh',
      '-c',
      'echo --json',
    ]);
    expect(result.stderr.toString()).toContain('--env HOME_SET: not set in the environment');
    expect(result.code).toBe(2);
    const again = await daemon.cli([
      'submit',
      '--host',
      'vm',
      '--name',
      'n',
      '--env',
      'A=x=y',
      '--env',
      'PATH',
      '--input',
      'in.txt:data/in.txt',
      '--input',
      'remote:/scratch/big',
      '--output',
      'out/r.txt',
      '--output',
      'out/*.csv',
      '--output',
      'a.log:/tmp/logs/',
      '--overwrite',
      '--bind',
      '/scratch:/scratch:ro',
      '--cpus',
      '2',
      '--memory',
      '1GiB',
      '--time',
      '10m',
      '--keep',
      '--retries',
      '2',
      '--retry-on',
      'exit,time-limit',
      '--accept-exit',
      '0,3',
      '--runtime-arg=--nv',
      '--priority=-5',
      '--tag',
      'run=7',
      '--on-finish',
      'notify "$TOWLINE_STATE"',
      '--hold',
      'docker://mini',
      '--',
      'sh',
      '-c',
      'echo --json',
    ]);
    expect(again.stderr.toString()).toBe('');
    const here = daemon.directory;
    expect(specs()[0]).toMatchObject({
      name: 'n',
      host: 'vm',
      images: ['docker://mini'],
      command: { kind: 'argv', argv: ['sh', '-c', 'echo --json'] },
      env: { A: 'x=y', PATH: process.env['PATH'] },
      inputs: [
        { source: { kind: 'file', path: join(here, 'in.txt') }, target: 'data/in.txt' },
        { source: { kind: 'remote', path: '/scratch/big' }, target: 'big' },
      ],
      outputs: [
        { pattern: 'out/r.txt', local: join(here, 'out/r.txt'), overwrite: true },
        { pattern: 'out/*.csv', local: `${join(here, 'out')}/`, overwrite: true },
        { pattern: 'a.log', local: '/tmp/logs/', overwrite: true },
      ],
      binds: [{ source: '/scratch', target: '/scratch', readonly: true }],
      cpus: 2,
      memoryBytes: 2 ** 30,
      timeLimitMs: 600_000,
      onFinish: 'notify "$TOWLINE_STATE"',
      cleanup: 'never',
      retries: 2,
      retryOn: ['exit', 'time-limit'],
      acceptExit: [0, 3],
      runtimeArgs: ['--nv'],
      priority: -5,
      held: true,
      tags: { run: '7' },
    });
  });

  it('says what is asked of Slurm', async () => {
    const options = [
      '--partition',
      'gpu',
      '--account=lab',
      '--qos=long',
      '--constraint',
      'intel&ib',
    ];
    const more = ['--nodes=2', '--ntasks-per-node', '4', '--short', '--fpga'];
    const words = ['--sbatch-arg=--exclusive', '--sbatch-arg', '--comment=a b'];
    await out('submit', ...options, ...more, ...words, 'docker://mini', '--', 'true');
    expect(specs()[0]?.slurm).toEqual({
      ...{ partition: 'gpu', account: 'lab', qos: 'long', constraint: 'intel&ib' },
      ...{ nodes: 2, ntasksPerNode: 4, short: true, fpga: true },
      args: ['--exclusive', '--comment=a b'],
    });
    await out('submit', 'docker://mini', '--', 'true');
    expect(specs()[1]?.slurm).toBeUndefined();
    const refused = await daemon.cli([
      ...['submit', '--sbatch-arg=--wrap=id', 'docker://mini', '--', 'true'],
    ]);
    expect(refused.code).toBe(2);
    expect(refused.stderr.toString()).toContain('--wrap is not for you to set');
  });

  it('runs one text by a shell with --shell, and prints only the id', async () => {
    const text = await out('submit', '--shell', 'docker://mini', '--', 'echo $X | wc');
    expect(text).toMatch(/^[0-9a-f]{16}\n$/);
    expect(specs()[0]?.command).toEqual({ kind: 'text', text: 'echo $X | wc' });
    expect((await daemon.cli(['submit', '--shell', 'i', '--', 'a', 'b'])).code).toBe(2);
  });

  it.each([
    ['tasks.json', '[{"image":"a","command":["b"]},{"image":"a","command":"c"}]'],
    ['tasks.json', '{"tasks":[{"image":"a","command":["b"]},{"image":"a","command":"c"}]}'],
    ['tasks.ndjson', '{"image":"a","command":["b"]}\n{"image":"a","command":"c"}\n'],
    ['tasks.yaml', 'tasks:\n  - {image: a, command: [b]}\n  - image: a\n    command: c\n'],
  ])('reads %s', async (name, text) => {
    writeFileSync(join(daemon.directory, name), text);
    expect((await out('submit', '--file', name)).trim().split('\n')).toHaveLength(2);
  });

  it('names the file, the line, the task and the field that do not fit', async () => {
    writeFileSync(join(daemon.directory, 't.ndjson'), '{"image":"a"}\n{"image\n');
    expect((await daemon.cli(['submit', '--file', 't.ndjson'])).stderr.toString()).toContain(
      'TASK_INVALID: t.ndjson:2:',
    );
    writeFileSync(join(daemon.directory, 't.json'), '[{"image":"a","command":["b"],"cpu":1}]');
    const result = await daemon.cli(['submit', '--file', 't.json']);
    expect(result.code).toBe(2);
    expect(result.stderr.toString()).toBe(
      'towline: TASK_INVALID: tasks[0] has an unknown field cpu (did you mean cpus?)\nhint: mend the field named and submit again\n',
    );
  });

  it('takes tasks from a pipe, one a line, and acts on all of them', async () => {
    const task = (name: string) => `{"name":"${name}","image":"docker://mini","command":["true"]}`;
    const piped = `{ echo '${task('p1')}'; echo; echo '${task('p2')}'; } | towline submit --file -`;
    const { stdout, code } = await daemon.shell(piped);
    const ids = stdout.toString().trim().split('\n');
    expect([code, ids.length]).toEqual([0, 2]);
    expect((await daemon.cli(['retry', ...ids])).stdout.toString().split('\n')).toHaveLength(3);
  });
});

describe('looking at tasks', () => {
  it('lists them as a table, as ids, as JSON', async () => {
    const id = await submitOne('--name', 'my task');
    const [head, row] = (await out('list')).split('\n');
    expect(head).toMatch(/^ID +STATE +HOST/);
    expect(row).toMatch(new RegExp(`^${id} +succeeded +vm .* my task +cmd 'a b'$`));
    expect(await out('ls', '-q')).toBe(`${id}\n`);
    const { tasks } = JSON.parse(await out('list', '--json', '--state', 'succeeded')) as {
      tasks: TaskView[];
    };
    expect(tasks[0]?.id).toBe(id);
    expect((await daemon.cli(['list', '--state', 'nope'])).code).toBe(2);
    await out('list', '--name', 'my task', '--host', 'vm');
    expect(daemon.service.calls.at(-1)).toMatchObject({ args: [{ name: 'my task', host: 'vm' }] });
  });

  it('shows everything about a task that failed, hostile text made harmless', async () => {
    daemon.service.script = (run) => {
      run.stderr(
        `${Array.from({ length: 20 }, (_, i) => `line ${i}`).join('\n')}\n\u001b[2Jlast\n`,
      );
      return 42;
    };
    const text = await out('show', await submitOne());
    expect(text).toContain('state       failed, ');
    expect(text).toContain('why         TASK_EXIT_CODE: the command ended with 42');
    expect(text).toContain('hint        see its output: towline logs');
    expect(text).toContain('exit code   42');
    expect(text).toContain('remote dir  vm:/home/alice');
    expect(text).toContain('last lines of stderr:\nline 11\n');
    expect(text).toContain('\\x1b[2Jlast\n');
    expect(text).not.toContain('\u001b');
  });

  it('prints both streams byte-exact, one alone on stdout', async () => {
    daemon.service.script = (run) => {
      run.stdout(Buffer.from([0, 255]));
      run.stderr('err');
      return 0;
    };
    const id = await submitOne();
    const both = await daemon.cli(['logs', id.slice(0, 8)]);
    expect([both.stdout, both.stderr]).toEqual([Buffer.from([0, 255]), Buffer.from('err')]);
    expect(await out('logs', '--stderr', id)).toBe('err');
    expect(await out('logs', '-f', '--stdout', id)).toHaveLength(2);
  });

  it('waits: 0 all succeeded, 3 one failed, 14 the time is over, 11 no such task', async () => {
    const good = await submitOne();
    daemon.service.script = () => 1;
    const bad = await submitOne();
    daemon.service.script = () => new Promise(() => {});
    const slow = await submitOne();
    const code = async (...args: string[]) => (await daemon.cli(['wait', ...args])).code;
    expect(await code(good)).toBe(0);
    expect(await code(good, bad)).toBe(3);
    expect(await code('--timeout', '50ms', good, slow)).toBe(14);
    expect(await code('zzz')).toBe(11);
    expect(await out('wait', bad)).toBe(`${bad} failed 1 TASK_EXIT_CODE\n`);
  });

  it('acts on several tasks and tells the first failure', async () => {
    daemon.service.script = () => new Promise(() => {});
    const id = await submitOne();
    const result = await daemon.cli(['cancel', id, 'zzz']);
    expect([result.code, result.stdout.toString()]).toEqual([11, `${id} cancelling\n`]);
    expect((await daemon.cli(['retry', id])).code).toBe(13);
  });

  it('prints events, as text and as JSON lines', async () => {
    const id = await submitOne();
    expect(await out('events', '--task', id)).toContain(`${id}.1  submitted -> queued`);
    const lines = (await out('events', '--json', '--since', '1')).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).not.toContain(1);
  });
});

describe('hosts and the rest', () => {
  it('tells findings of doctor, what was not looked at on one line, and the summary', async () => {
    const left = (id: string) =>
      ({ id, title: id, level: 'skipped', detail: 'not looked at: root failed' }) as const;
    daemon.service.findings = [
      { id: 'name', title: 'name', level: 'ok', detail: '192.0.2.1' },
      {
        id: 'root',
        title: 'remote root',
        level: 'failure',
        detail: 'mode 777\u001b[2J',
        code: 'HOST_ROOT_INVALID',
        cause: 'others can write',
        remedy: { how: 'ini', text: 'root = ~/.towline' },
      },
      left('space'),
      left('fuse'),
    ];
    const text = await daemon.cli(['host', 'doctor', 'vm']);
    expect(text.stdout.toString()).toBe(
      [
        'ok       name             192.0.2.1',
        'FAILED   remote root      HOST_ROOT_INVALID: mode 777\\x1b[2J',
        '                          cause: others can write',
        '                          write in [host.vm]: root = ~/.towline',
        '-        not looked at: root failed: space, fuse',
        'vm: 1 ok, 1 failure, 2 not looked at',
        '',
      ].join('\n'),
    );
    expect(text.code).toBe(3);
    const json = await daemon.cli(['host', 'doctor', 'vm', '--json']);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout.toString())).toEqual({
      host: 'vm',
      ok: 1,
      warnings: 0,
      failures: 1,
      skipped: 2,
      findings: daemon.service.findings,
    });
    expect((await daemon.cli(['host', 'doctor', 'nope'])).code).toBe(11);
    daemon.service.findings = [{ id: 'fuse', title: 'FUSE', level: 'warning', detail: 'none' }];
    expect((await daemon.cli(['host', 'doctor', 'vm'])).code).toBe(0);
  });
  it('shows hosts and images', async () => {
    expect(await out('host', 'list')).toMatch(/^HOST +LINK +TASKS/);
    expect(await out('host', 'show', 'vm')).toContain('link        ready');
    expect((await daemon.cli(['host', 'show', 'nope'])).code).toBe(11);
    expect(await out('image', 'list', 'vm')).toContain('docker://a');
    expect((await daemon.cli(['image', 'pull', 'vm', 'docker://unknown'])).code).toBe(3);
    expect((await daemon.cli(['image', 'remove', 'vm', 'docker://a'])).code).toBe(0);
    expect(await out('gc', '--dry-run', '--json')).toContain('"cleaned": []');
  });

  it('prunes images of a host, and only says what would go with --dry-run', async () => {
    const asked = (): unknown => daemon.service.calls.at(-1);
    expect(await out('image', 'prune', 'vm', '--older-than', '7d', '--dry-run')).toContain(
      'docker://a (2.0 KiB, last used 1970-01-01T00:00:00.000Z) would be removed\n1 would be removed, 2.0 KiB would be freed; 1 in use and 2 used since then stay',
    );
    const week = { olderThanMs: 7 * 86_400_000, dryRun: true };
    expect(asked()).toEqual({ name: 'pruneImages', args: ['vm', week] });
    const { images, bytes } = JSON.parse(await out('image', 'prune', 'vm', '--json')) as PruneView;
    expect([images[0]?.reference, bytes]).toEqual(['docker://a', 2048]);
    const month = { olderThanMs: 30 * 86_400_000, dryRun: false };
    expect(asked()).toEqual({ name: 'pruneImages', args: ['vm', month] });
    expect((await daemon.cli(['image', 'prune', 'vm', '--older-than', 'soon'])).code).toBe(2);
  });

  it('asks at a terminal before gc removes anything, and not elsewhere', async () => {
    daemon.service.kept = ['abcd' as TaskId];
    const words = [
      process.execPath,
      join(REPO, 'src/main.ts'),
      'gc',
      '--socket',
      daemon.socketPath,
    ];
    const line = words.map((word) => `'${word}'`).join(' ');
    for (const [answer, removed] of [
      ['n', false],
      ['y', true],
    ] as const) {
      const terminal = await openTerminal(line);
      await terminal.sees('abcd directory would be removed');
      await terminal.sees('Remove this? [y/N]');
      terminal.type(`${answer}\r`);
      expect(await terminal.ended).toBe(0);
      expect(terminal.shown().includes('abcd directory removed')).toBe(removed);
    }
    daemon.service.kept = ['efgh' as TaskId];
    expect(await out('gc')).toBe('efgh directory removed\n');
    expect(await out('gc', '--history')).toContain('objects  2 staged inputs (2.0 KiB)  by d');
  });

  it('prints the script of a task', async () => {
    expect(await out('script', 'docker://mini', '--', 'true')).toBe(
      '#!/bin/sh\nexec apptainer exec image.sif true\n',
    );
    const text = await out('script', '--plan', 'docker://mini', '--', 'true');
    expect(text).toContain('--- run.sh\n');
    expect(text).toContain(
      'job        sbatch --ntasks=1 --partition=short\nnote       less cpus\n',
    );
  });

  it('checks the configuration without a daemon', async () => {
    mkdirSync(join(daemon.directory, 'c'));
    const file = join(daemon.directory, 'c', 't.ini');
    writeFileSync(file, '[daemon]\nsockt = /x\n');
    const bad = await daemon.cli(['config', 'check', '--config', file]);
    expect([bad.code, bad.stderr.toString().includes(`${file}:2`)]).toEqual([12, true]);
    writeFileSync(
      file,
      `[daemon]\nsocket = ${daemon.directory}/s\n[host.vm]\nhostname = h\nuser = u\n`,
    );
    expect(await out('config', 'check', '--config', file)).toContain('hosts: vm');
    expect(await out('config', 'show', '--config', file)).toMatch(/socket += +\S+ +# .*t\.ini:2/);
  });
});

describe('errors', () => {
  it('suggests the nearest command and option and ends with 2', async () => {
    const verb = await daemon.cli(['lisst']);
    expect([verb.code, verb.stderr.toString()]).toEqual([
      2,
      "towline: USAGE: unknown command 'lisst' (Did you mean list?)\nhint: see: towline help\n",
    ]);
    expect((await daemon.cli(['list', '--stat', 'x'])).stderr.toString()).toContain(
      '(Did you mean --state?)',
    );
    expect((await daemon.cli(['host'])).code).toBe(2);
    expect((await daemon.cli(['submit', 'docker://mini', 'cmd'])).stderr.toString()).toContain(
      'goes after --',
    );
    expect((await daemon.cli(['show'])).code).toBe(2);
  });

  it('is JSON on stderr with --json, wherever that stands', async () => {
    for (const args of [
      ['--json', 'show', 'zzz'],
      ['show', 'zzz', '--json'],
    ]) {
      const result = await daemon.cli(args);
      expect(result.code).toBe(11);
      expect(result.stdout.toString()).toBe('');
      expect((JSON.parse(result.stderr.toString()) as ErrorView).error).toMatchObject({
        code: 'TASK_NOT_FOUND',
        hint: 'see the ids: towline list',
      });
    }
  });

  it('finds the socket by option, variable and configuration', async () => {
    await daemon.stop();
    const said = async (...args: string[]) => (await daemon.cli(args)).stderr.toString();
    expect(await said('list')).toContain(daemon.socketPath);
    expect(await said('--socket', '/tmp/other.sock', 'list')).toContain('/tmp/other.sock');
    expect((await daemon.cli(['list'])).code).toBe(10);
  });

  it('ends quietly with 141 when nobody reads', async () => {
    await submitOne();
    daemon.service.list = () => Promise.reject(new AppError('INTERNAL', 'x'));
    const result = await daemon.shell('towline help run | true; echo "${PIPESTATUS[0]}"');
    expect(['0\n', '141\n']).toContain(result.stdout.toString());
    expect(result.stderr.toString()).toBe('');
  });
});

describe('what a person does with a host', () => {
  const asked = (name: string) => daemon.service.calls.filter((call) => call.name === name).at(-1);

  it('pauses, drains and resumes, and says how it stands then', async () => {
    for (const [verb, mode] of [
      ['pause', 'paused'],
      ['drain', 'draining'],
      ['resume', 'open'],
    ]) {
      expect(await out('host', verb ?? '', 'vm')).toBe(`vm ${mode}, 1 tasks there\n`);
      expect(asked('setHostMode')?.args).toEqual(['vm', mode]);
    }
    expect(JSON.parse(await out('host', 'pause', 'vm', '--json'))).toMatchObject({
      mode: 'paused',
    });
  });

  it('forgets only with --yes', async () => {
    expect(await out('host', 'forget', 'vm')).toContain('towline host forget vm --yes');
    expect(asked('forgetHost')?.args).toEqual(['vm', { dryRun: true }]);
    const text = await out('host', 'forget', 'vm', '--yes');
    expect(text).toContain('2 attempts, 1 images, 0 staged inputs, 4.0 KiB removed');
    expect(text).toContain('left: notes.txt is not of Towline');
    expect(asked('forgetHost')?.args).toEqual(['vm', { dryRun: false }]);
  });

  it('sets up, and names the next step', async () => {
    expect(await out('host', 'setup', 'vm')).toContain('link        ready');
    expect(JSON.parse(await out('host', 'setup', 'vm', '--json'))).toMatchObject({
      host: { name: 'vm' },
    });
  });
});

describe('completion', () => {
  it('is a script that bash accepts, and completes verbs, options, ids and hosts', async () => {
    const script = await out('completion', 'bash');
    expect(spawnSync('bash', ['-n'], { input: script }).status).toBe(0);
    const id = await submitOne();
    const complete = async (...words: string[]): Promise<string> => {
      writeFileSync(join(daemon.directory, 'c.bash'), script);
      const line = words.map((word) => `'${word}'`).join(' ');
      const result = await daemon.shell(
        `source c.bash; COMP_WORDS=(towline ${line}); COMP_CWORD=${words.length}; _towline; echo "\${COMPREPLY[@]}"`,
      );
      return result.stdout.toString().trim();
    };
    expect(await complete('ca')).toBe('cancel');
    expect(await complete('run', '--overw')).toBe('--overwrite');
    expect(await complete('run', '--cleanup', 'al')).toBe('always');
    expect(await complete('host', 'sh')).toBe('show');
    expect(await complete('host', 'show', '')).toBe('vm');
    expect(await complete('run', '--host', '')).toBe('vm');
    expect(await complete('show', id.slice(0, 3))).toBe(id);
    expect(await complete('completion', 'z')).toBe('zsh');
  });

  it('has scripts for zsh and fish too', async () => {
    expect(await out('completion', 'zsh')).toMatch(/^#compdef towline/);
    expect(await out('completion', 'fish')).toContain('complete -c towline');
    expect((await daemon.cli(['completion', 'tcsh'])).code).toBe(2);
  });
});
