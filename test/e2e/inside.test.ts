/**
 * Goal: a task that runs or was kept can be looked into: commands, a shell on a real terminal, copies;
 * nothing of it is left when the user goes away. Method: the built CLI and a daemon of the test's own
 * against the bed; what lives on the host is seen by root from outside.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MINI, onHost, REPO } from '../support/bed.ts';
import { finished, makeDaemon, type Ran, type TestDaemon } from '../support/daemon.ts';
import { pipedCli } from '../support/piped-cli.ts';
import { openTerminal } from '../support/test-terminal.ts';
import { until } from '../support/until.ts';

let daemon: TestDaemon;
/** Runs all the time. */
let running: string;
/** Failed, and its directory is still there. */
let kept: string;

beforeAll(async () => {
  daemon = makeDaemon();
  await daemon.start();
  writeFileSync(join(daemon.dir, 'input.txt'), 'an input\n');
  const words = [
    '--host',
    'vm',
    '--env',
    'WORD=a $b',
    '--input',
    'input.txt',
    MINI,
    '--',
    'sh',
    '-c',
  ];
  running = await daemon.submit(...words, 'echo here >file; exec sleep 3111');
  kept = await daemon.submit(
    ...words,
    'mkdir -p tree/deep "sp ace"; echo 1 >tree/a.log; echo 22 >tree/deep/b.log; chmod 6755 tree/a.log; ' +
      'echo x >"sp ace/x[1].txt"; head -c 9000000 /dev/urandom >big; sha256sum <big; ' +
      'ln -s /etc tree/link; ln -s /etc/passwd passwd; mkfifo fifo; echo t >/tmp/scratch; exit 9',
  );
  await daemon.cli('wait', kept);
  await until(async () => (await exec(running, 'cat', 'file')).stdout === 'here\n');
});

afterAll(() => daemon[Symbol.asyncDispose]());

function exec(id: string, ...command: string[]): Promise<Ran> {
  return daemon.cli('exec', '-n', id, '--', ...command);
}

/** How many processes of the host have these words in their command line. */
async function living(words: string): Promise<number> {
  const count = await onHost('vm', 'sh', '-c', 'pgrep -fc "$1" || :', 'sh', words);
  return Number(count) - 1;
}

/** No command, no reaper: only what the task itself needs is left. */
async function nothingLeft(words: string): Promise<void> {
  await until(
    async () => (await living(`${words}|towline-reape[r]`)) <= 0,
    () => words,
    10_000,
  );
}

/** The host comes back by its own schedule. */
async function linkIsBack(): Promise<void> {
  await until(async () => (await exec(running, 'true')).code === 0);
}

function residentBytes(pid: number): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

describe('a command in a running task', () => {
  test('sees its processes, files, environment and directory', async () => {
    const text = 'ps -e -o args=; cat file ../inputs/input.txt; echo "$WORD $TOWLINE_TASK"; pwd';
    const ran = await exec(running, 'sh', '-c', text);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain('sleep 3111\n');
    expect(ran.stdout).toContain(`here\nan input\na $b ${running}\n/mnt/task/work\n`);
  });

  test.each([0, 3, 255])('ends with the code of the command: %i', async (code) => {
    const ran = await exec(running, 'sh', '-c', `echo out; echo err >&2; exit ${code}`);
    expect(ran).toEqual({ code, signal: null, stdout: 'out\n', stderr: 'err\n' });
  });

  test('20 MB of any bytes go in and come out as they are', async () => {
    const file = join(daemon.dir, 'bytes');
    const bytes = Buffer.from(Array.from({ length: 1 << 20 }, (_, n) => (n * n * 7) >> 3));
    writeFileSync(file, Buffer.concat(Array.from({ length: 20 }, () => bytes)));
    const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
    const there = await pipedCli(daemon, file, 'exec', running, '--', 'sha256sum');
    expect(there).toMatchObject({ code: 0, stdout: `${sum}  -\n` });
    const back = daemon.spawnCli([
      'exec',
      '-n',
      running,
      '--',
      'sh',
      '-c',
      `yes towline | head -c 20000000`,
    ]);
    const hash = createHash('sha256');
    for await (const chunk of back.stdout ?? []) hash.update(chunk as Buffer);
    expect(hash.digest('hex')).toBe(
      createHash('sha256').update('towline\n'.repeat(2_500_000)).digest('hex'),
    );
  });

  test('a reader that does not read costs the daemon no memory', async () => {
    const before = residentBytes(daemon.pid());
    const slow = daemon.spawnCli([
      'exec',
      '-n',
      running,
      '--',
      'sh',
      '-c',
      'cat /dev/zero; : endless',
    ]);
    slow.stdout?.pause();
    const sent = async (): Promise<number> => {
      const { counters } = JSON.parse(
        (await daemon.cli('host', 'show', '--json', 'vm')).stdout,
      ) as {
        counters: { bytesReceived: number };
      };
      return counters.bytesReceived;
    };
    const begun = await sent();
    let [last, still] = [0, 0];
    // It has stopped when no more comes over the link than its own small talk.
    await until(async () => {
      const now = await sent();
      still = now - begun > 1 << 20 && now - last < 100_000 ? still + 1 : 0;
      last = now;
      return still >= 3;
    });
    expect(last - begun).toBeLessThan(16 << 20);
    expect(residentBytes(daemon.pid()) - before).toBeLessThan(64 << 20);
    slow.kill('SIGKILL');
    await nothingLeft('cat /dev/zer[o]');
  });

  test('a client that is killed takes its command along, whatever that ignores', async () => {
    const text = 'trap "" HUP TERM; echo begun; sleep 3222 & wait; sleep 3222';
    for (const id of [running, kept]) {
      const client = daemon.spawnCli(['exec', id, '-n', '--', 'sh', '-c', text]);
      await new Promise((resolve) => client.stdout?.once('data', resolve));
      expect(await living('sleep 322[2]')).toBeGreaterThan(0);
      client.kill('SIGKILL');
      await nothingLeft('sleep 322[2]');
    }
  });

  test('Ctrl-C is the command’s', async () => {
    const text = 'trap "echo caught; exit 5" INT; echo begun; while :; do sleep 0.05; done';
    const client = daemon.spawnCli(['exec', running, '-n', '--', 'sh', '-c', text]);
    client.stdout?.once('data', () => client.kill('SIGINT'));
    expect(await finished(client)).toMatchObject({ code: 5 });
  });

  test('there are only so many at once', async () => {
    const open = Array.from({ length: 4 }, () =>
      daemon.spawnCli(['exec', running, '-n', '--', 'sh', '-c', 'echo begun; exec sleep 3333']),
    );
    await Promise.all(
      open.map((client) => new Promise((resolve) => client.stdout?.once('data', resolve))),
    );
    const refused = await exec(running, 'true');
    expect(refused.code).toBe(125);
    expect(refused.stderr).toContain('HOST_SESSIONS_FULL');
    for (const client of open) client.kill();
    await nothingLeft('sleep 333[3]');
    expect((await exec(running, 'true')).code).toBe(0);
  });

  test('a broken link is told, and the command is ended on the host', async () => {
    const client = daemon.spawnCli([
      'exec',
      running,
      '-n',
      '--',
      'sh',
      '-c',
      'echo begun; exec sleep 3444',
    ]);
    client.stdout?.once(
      'data',
      () => void onHost('vm', 'pkill', '-KILL', '-f', 'sshd-session: alice'),
    );
    const ran = await finished(client);
    expect(ran.code).toBe(125);
    expect(ran.stderr).toContain('SSH_CONNECTION_LOST');
    await nothingLeft('sleep 344[4]');
    await linkIsBack();
    expect((await daemon.show(running)).state).toBe('running');
  });
});

describe('a task that was kept', () => {
  test('is looked at in a container like its own, and stays as it was', async () => {
    const record = `${daemon.root}/tasks/*/${kept}.1/exit.json`;
    const before = await onHost('vm', 'sh', '-c', `stat -c '%i %Y %s' ${record}`);
    const ran = await exec(
      kept,
      'sh',
      '-c',
      'cat tree/a.log /tmp/scratch; echo "$WORD"; cat ../inputs/*; exit 4',
    );
    expect(ran).toMatchObject({ code: 4, stdout: '1\nt\na $b\nan input\n', stderr: '' });
    expect(await onHost('vm', 'sh', '-c', `stat -c '%i %Y %s' ${record}`)).toBe(before);
    expect((await daemon.cli('logs', '--stderr', kept)).stdout).toBe('');
  });

  test('one that was removed or never launched is refused with its state', async () => {
    const done = await daemon.submit('--host', 'vm', MINI, '--', 'true');
    await daemon.cli('wait', done);
    const held = await daemon.submit('--host', 'vm', '--hold', MINI, '--', 'true');
    for (const id of [done, held]) {
      const ran = await exec(id, 'true');
      expect(ran.code).toBe(125);
      expect(ran.stderr).toContain('TASK_WRONG_STATE');
      expect(ran.stderr).toContain(`towline show ${id}`);
    }
  });
});

describe('a shell', () => {
  const shell = (id: string): string =>
    [
      `cd ${daemon.dir}; export TOWLINE_SOCKET=${daemon.socket}`,
      'before=$(stty -g)',
      `${process.execPath} ${join(REPO, 'src/main.ts')} shell ${id}`,
      'echo "code $?"; [ "$before" = "$(stty -g)" ] && echo restored',
    ].join('\n');

  test.each(['running', 'kept'])(
    'of a %s task has a terminal, its size and its keys',
    async (which) => {
      const terminal = await openTerminal(shell(which === 'running' ? running : kept));
      await terminal.sees('> ');
      terminal.type('stty size\r');
      await terminal.sees('33 91');
      terminal.resize(100, 40);
      terminal.type('until [ "$(stty size)" = "40 100" ]; do :; done; echo res"ized"\r');
      await terminal.sees('resized');
      // said by what is to be interrupted: a shell that has just forked would take the signal for itself
      terminal.type('sh -c \'echo be"gun"; exec sleep 3555\'\r');
      await terminal.sees('begun');
      terminal.type('\u0003');
      terminal.type('echo code is $?\r');
      await terminal.sees('code is 130');
      terminal.type('exit 6\r');
      await terminal.sees('code 6');
      await terminal.sees('restored');
      expect(await terminal.ended).toBe(0);
    },
  );

  test('gives the terminal back when its link breaks', async () => {
    const terminal = await openTerminal(shell(running));
    await terminal.sees('> ');
    terminal.type('echo be"gun"; sleep 3666\r');
    await terminal.sees('begun');
    await onHost('vm', 'pkill', '-KILL', '-f', 'sshd-session: alice');
    await terminal.sees('SSH_CONNECTION_LOST');
    await terminal.sees('code 125');
    await terminal.sees('restored');
    await nothingLeft('sleep 366[6]');
    await linkIsBack();
  });

  test('without a terminal says what to do instead', async () => {
    const ran = await daemon.cli('shell', running);
    expect(ran.code).toBe(125);
    expect(ran.stderr).toContain(`towline exec ${running} -- CMD`);
  });
});

test('a command that comes before the container is up waits for it, then is among its processes', async () => {
  const go = '/tmp/inside-go';
  await onHost('vm', 'rm', '-f', go);
  const setup = `until [ -z "$TOWLINE_ATTEMPT" ] || [ -e ${go} ]; do sleep 0.05; done`;
  await using late = makeDaemon({ vm: { setup: `'${setup}'` } });
  await late.start();
  const id = await late.submit('--host', 'vm', MINI, '--', 'sleep', '3119');
  await until(async () => (await late.show(id)).state === 'running');
  const looked = finished(late.spawnCli(['exec', '-n', id, '--', 'ps', '-eo', 'args']));
  // it has asked, and found nothing to join
  await until(() => late.log().includes('looking for a way inside'));
  await onHost('vm', 'touch', go);
  const { code, stdout, stderr } = await looked;
  await onHost('vm', 'rm', go);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('sleep 3119');
  await late.cli('cancel', '--wait', id);
});

describe('copies', () => {
  const here = (...path: string[]): string => join(daemon.dir, ...path);
  const cp = (...words: string[]): Promise<Ran> => daemon.cli('cp', ...words);

  test('a file, a directory, a glob and odd names arrive; rights and links do not', async () => {
    expect(await cp('--json', `${kept}:tree`, 'out')).toMatchObject({ code: 0 });
    expect(readdirSync(here('out')).toSorted()).toEqual(['a.log', 'deep']);
    expect(lstatSync(here('out/a.log')).mode & 0o7000).toBe(0);
    expect(await cp(`${kept}:**/*.log`, 'logs')).toMatchObject({ code: 0 });
    expect(readFileSync(here('logs/tree/deep/b.log'), 'utf8')).toBe('22\n');
    expect(await cp(`${kept}:sp ace/x[1].txt`, '.')).toMatchObject({ code: 0 });
    expect(readFileSync(here('x[1].txt'), 'utf8')).toBe('x\n');
    expect(await cp(`${kept}:/tmp/scratch`, '-')).toMatchObject({ code: 0, stdout: 't\n' });
    expect(await cp(`${running}:../inputs/input.txt`, '-')).toMatchObject({ stdout: 'an input\n' });
    expect(await cp(`${kept}:big`, 'sub/')).toMatchObject({ code: 0 });
    const sum = createHash('sha256')
      .update(readFileSync(here('sub/big')))
      .digest('hex');
    expect((await daemon.cli('logs', kept)).stdout).toBe(`${sum}  -\n`);
    expect(readdirSync(here('sub'))).toEqual(['big']);
  });

  test.each([
    ['passwd', 3, 'OUTPUT_UNSAFE'],
    ['tree/link/passwd', 3, 'OUTPUT_UNSAFE'],
    ['fifo', 3, 'OUTPUT_UNSAFE'],
    ['missing', 11, 'COPY_NOT_FOUND'],
    ['/etc/passwd', 2, '/mnt/task/work, /tmp'],
    ['../../../../etc/passwd', 2, '/mnt/task/work, /tmp'],
  ])('%s is refused', async (path, code, word) => {
    const ran = await cp(`${kept}:${path}`, 'refused');
    expect(ran.code).toBe(code);
    expect(ran.stderr).toContain(word);
    expect(existsSync(here('refused'))).toBe(false);
  });

  test('a link to a secret is not read even by the content route', async () => {
    const path = encodeURIComponent('tree/link/passwd');
    const { default: http } = await import('node:http');
    const status = await new Promise((resolve) =>
      http.get(
        { socketPath: daemon.socket, path: `/v1/tasks/${kept}/files/content?path=${path}` },
        (response) => resolve(response.resume().statusCode),
      ),
    );
    expect(status).toBe(502);
  });

  test('a file that is there stays unless it may be replaced', async () => {
    mkdirSync(here('mine'));
    writeFileSync(here('mine/a.log'), 'mine');
    const refused = await cp(`${kept}:tree/a.log`, 'mine');
    expect(refused.code).toBe(13);
    expect(refused.stderr).toContain('COPY_EXISTS');
    expect(readFileSync(here('mine/a.log'), 'utf8')).toBe('mine');
    expect(await cp('--overwrite', `${kept}:tree/a.log`, 'mine')).toMatchObject({ code: 0 });
    expect(readFileSync(here('mine/a.log'), 'utf8')).toBe('1\n');
    expect(readdirSync(here('mine'))).toEqual(['a.log']);
  });

  test('a file goes in, through the container only', async () => {
    expect(await cp('input.txt', `${running}:new.txt`)).toMatchObject({ code: 0, stderr: '' });
    expect(await exec(running, 'cat', 'new.txt')).toMatchObject({ stdout: 'an input\n' });
    expect((await cp('input.txt', `${running}:new.txt`)).code).toBe(13);
    const out = await cp('input.txt', `${kept}:tree/link/towline`);
    expect(out.code).toBe(3);
    expect(out.stderr).toContain('COPY_FAILED');
  });
});
