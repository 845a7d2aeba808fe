/**
 * Goal: what a task makes is an input of others: on its host without a transfer, on another one by a stream
 * through the daemon, whatever its name is. Method: the built CLI and daemon against two hosts of the bed;
 * links are counted on the hosts.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MINI, onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = makeDaemon({ hosts: { vm: { on: 'vm' }, other: { on: 'vm2', user: 'bob' } } });
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

const submitFile = (...tasks: object[]) => {
  const list = tasks.map((task) => ({ host: 'vm', image: MINI, ...task }));
  writeFileSync(join(daemon.dir, 'tasks.json'), JSON.stringify(list));
  return daemon.cli('submit', '--file', 'tasks.json');
};

/** Submits tasks that name each other, waits for all, gives what each printed. */
async function printed(...tasks: object[]): Promise<string[]> {
  const { stdout, stderr } = await submitFile(...tasks);
  expect(stderr).toBe('');
  const ids = stdout.trim().split('\n');
  const waited = await daemon.cli('wait', ...ids);
  expect({ waited, code: waited.code }).toMatchObject({ code: 0 });
  return Promise.all(ids.map(async (id) => (await daemon.cli('logs', '--stdout', id)).stdout));
}

const MAKES = [
  "mkdir -p 'a dir/empty' tree/sub",
  `echo one > "a dir/it's one"`,
  'echo two > tree/sub/two',
  'echo x > tree/x.sh',
  'chmod +x tree/x.sh',
  'echo in > std',
].join('; ');

const TAKES = [
  `cat "workflow:///first/a%20dir/it's one"`,
  'cat workflow:///first/tree/sub/two',
  "ls -A 'workflow:///first/a dir'",
  'for f in workflow:///first/tree/*.sh; do [ -x "$f" ] && basename "$f"; done',
  'cat - "$DATA" /data/sub/two',
  'stat -c %h workflow:///first/std',
  `echo three > 'made by "second"'`,
].join('; ');

test('files, directories, patterns and odd names are inputs of tasks on the same host, as links', async () => {
  const [, second = '', third] = await printed(
    { name: 'first', command: MAKES },
    {
      name: 'second',
      command: TAKES,
      stdin: { path: 'workflow:///first/std' },
      env: { DATA: 'workflow:///first/std' },
      binds: ['workflow:///first/tree:/data'],
    },
    { name: 'third', command: ['cat', 'workflow:///second/made by "second"'] },
  );
  const lines = second.trimEnd().split('\n');
  const links = Number(lines.pop());
  expect(lines).toEqual(['one', 'two', 'empty', "it's one", 'x.sh', 'in', 'in', 'two']);
  // the object, what holds it for others, stdin and input: not one copy
  expect(links).toBeGreaterThanOrEqual(4);
  expect(third).toBe('three\n');
});

test('to another host they go through the daemon, and nothing of them stays here', async () => {
  const [made, taken] = await printed(
    { name: 'first', command: 'head -c 3000000 /dev/urandom > big; sha256sum < big' },
    { name: 'second', host: 'other', command: 'sha256sum < workflow:///first/big' },
  );
  expect(made).toMatch(/^[0-9a-f]{64} {2}-\n$/);
  expect(taken).toBe(made);
});

test('what is submitted later takes what was shared; a name it does not share is refused', async () => {
  const share = ['--share', 'part*', '--host', 'vm', MINI];
  const id = await daemon.submit(...share, '--', 'sh', '-c', 'echo 1 >part1; echo 2 >part2');
  expect((await daemon.cli('wait', id)).code).toBe(0);
  expect((await daemon.cli('show', id)).stdout).toMatch(/shared +2 files \(4 B\) on vm/);
  const take = (path: string, host = 'vm') =>
    daemon.cli(
      'run',
      '--host',
      host,
      '--input',
      `workflow:///${id}/${path}:in`,
      MINI,
      '--',
      'sh',
      '-c',
      'cat /mnt/task/inputs/in/* || cat /mnt/task/inputs/in',
    );
  expect((await take('part*')).stdout).toBe('1\n2\n');
  const wrong = await daemon.cli('run', '--host', 'vm', MINI, '--', 'cat', 'workflow:///nobody/x');
  expect(wrong.code).toBe(125);
  expect(wrong.stderr).toContain('TASK_NOT_FOUND');
  await onHost('vm', 'rm', '-r', `${daemon.rootOn('vm')}/kept`);
  const gone = await take('part2', 'other');
  expect(gone.stderr).toContain('STAGE_OUTPUT_MISSING');
  expect(gone.stderr).toContain(`towline retry ${id}`);
  const plain = await daemon.submit('--host', 'vm', MINI, '--', 'touch', 'x');
  const refused = await daemon.cli('run', MINI, '--', 'cat', `workflow:///${plain}/x`);
  expect(refused.code).toBe(125);
  expect(refused.stderr).toContain('--share x');
});

test('of a hostile tree only plain files come along, without the bits that give rights', async () => {
  const makes = [
    'mkdir -p tree/sub && cd tree && echo plain > sub/plain',
    'ln -s /etc/passwd link && ln -s / sub/root && ln sub/plain hard',
    'mkfifo fifo && cp /bin/busybox su 2>/dev/null || echo x > su; chmod 6755 su',
    `touch -- '-rf' '$(id)'`,
  ].join('\n');
  const list = 'cd workflow:///first/tree && find . | sort && stat -c %a su && cat sub/plain';
  const [, near, far] = await printed(
    { name: 'first', command: makes },
    { name: 'second', command: list },
    { name: 'third', host: 'other', command: list },
  );
  const names = ['.', './$(id)', './-rf', './hard', './su', './sub', './sub/plain'];
  expect(near?.split('\n')).toEqual([...names, '555', 'plain', '']);
  expect(far).toBe(near);
  const control = await submitFile({ command: "touch 'a\nb'", share: ['.'] });
  const id = control.stdout.trim();
  await daemon.cli('wait', id);
  expect((await daemon.show(id)).failure).toMatchObject({ code: 'OUTPUT_UNSAFE' });
});
