/**
 * Goal: declared outputs land where the task says, whole, never over what is there, and nothing hostile
 * comes with them.
 * Method: tasks that write what the test wants to see refused or fetched, and the local files afterwards.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { MINI } from '../support/bed.ts';
import { makeDaemon, type Ran, type TaskJson, type TestDaemon } from '../support/daemon.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = makeDaemon();
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

/** Where the CLI runs is where outputs land that do not say otherwise. */
const LANDED = ['out', 'results', 'tree', 'copy', 'a.txt', 'given.txt'];

beforeEach(() => {
  for (const name of LANDED) rmSync(join(daemon.dir, name), { recursive: true, force: true });
});

/** Runs a command with options that begin with `--output`. */
function run(outputs: string[], text: string): Promise<Ran> {
  const options = outputs.flatMap((output) =>
    output.startsWith('--') ? [output] : ['--output', output],
  );
  return daemon.cli('run', ...options, MINI, '--', 'bash', '-c', text);
}

async function last(): Promise<TaskJson> {
  const { stdout } = await daemon.cli('list', '--json');
  const [task] = (JSON.parse(stdout) as { tasks: TaskJson[] }).tasks;
  return daemon.show(task?.id ?? '');
}

function files(directory: string): string[] {
  const names = readdirSync(join(daemon.dir, directory), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => statSync(join(daemon.dir, directory, name)).isFile()).toSorted();
}

function text(path: string): string {
  return readFileSync(join(daemon.dir, path), 'utf8');
}

const SOME =
  'mkdir -p results/sub && cd results && echo 1 >a.txt && echo 2 >b.txt && echo 3 >c.log && echo 4 >sub/d.txt && cd ..';

test('a file, a directory and a glob land in the directory of the command by their own names', async () => {
  const ran = await run(
    ['a.txt', 'tree', 'results/*.txt'],
    `${SOME}; echo a >a.txt; mkdir -p tree/empty tree/x; echo t >tree/x/"ü n"; chmod 755 a.txt`,
  );
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(text('a.txt')).toBe('a\n');
  expect(statSync(join(daemon.dir, 'a.txt')).mode & 0o7777).toBe(0o755);
  expect(files('results')).toEqual(['a.txt', 'b.txt']);
  expect(text('tree/x/ü n')).toBe('t\n');
  expect(existsSync(join(daemon.dir, 'tree/empty'))).toBe(true);
});

test('outputs land where the task says', async () => {
  const ran = await run(
    ['results/*.txt:out/', 'results/**/*.txt:copy/', 'results/c.log:given.txt', 'results:tree'],
    SOME,
  );
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(files('out')).toEqual(['a.txt', 'b.txt']);
  expect(files('copy')).toEqual(['a.txt', 'b.txt', 'sub/d.txt']);
  expect(text('given.txt')).toBe('3\n');
  expect(files('tree')).toEqual(['a.txt', 'b.txt', 'c.log', 'sub/d.txt']);
});

test('a file in a directory that is asked for by a trailing slash keeps its name', async () => {
  const ran = await run(['results/a.txt:out/', 'results/sub/*:out'], SOME);
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(files('out')).toEqual(['a.txt', 'd.txt']);
});

test('an output that was not produced makes the task fail, though its command succeeded', async () => {
  const ran = await run(['a.txt', 'results/*.csv'], `${SOME}; echo a >a.txt`);
  expect(ran.code).toBe(125);
  expect(ran.stderr).toContain('OUTPUT_MISSING');
  const task = await last();
  expect(task).toMatchObject({ state: 'failed', exitCode: 0, failure: { code: 'OUTPUT_MISSING' } });
  expect(task.failure?.message).toContain('results/*.csv');
  expect(task.cleanup.state).toBe('kept');
});

test('what a failed command did produce is fetched, and its own code is the end', async () => {
  const ran = await run(['a.txt', 'results/*.csv'], 'echo partial >a.txt; exit 7');
  expect(ran.code).toBe(7);
  expect(text('a.txt')).toBe('partial\n');
  expect(await last()).toMatchObject({ state: 'failed', failure: { code: 'TASK_EXIT_CODE' } });
});

test('a file that is there is not replaced unless asked, and then whole', async () => {
  writeFileSync(join(daemon.dir, 'a.txt'), 'mine');
  const ran = await run(['a.txt'], 'echo new >a.txt');
  expect(ran.code).toBe(125);
  expect(ran.stderr).toContain('OUTPUT_EXISTS');
  expect(text('a.txt')).toBe('mine');
  const asked = await run(['a.txt', '--overwrite'], 'echo new >a.txt');
  expect(asked, asked.stderr).toMatchObject({ code: 0 });
  expect(text('a.txt')).toBe('new\n');
  expect(readdirSync(daemon.dir).filter((name) => name.endsWith('.part'))).toEqual([]);
});

test('an output that is a link is refused, and links in a tree are passed over', async () => {
  const ran = await run(['a.txt'], 'ln -s /etc/passwd a.txt');
  expect(ran.code).toBe(125);
  expect(ran.stderr).toContain('OUTPUT_UNSAFE');
  expect(existsSync(join(daemon.dir, 'a.txt'))).toBe(false);
  const tree = await run(
    ['tree', 'results/*'],
    `${SOME}; mkdir tree; echo t >tree/t; ln -s /etc tree/etc; ln -s ../a.txt results/link; mkfifo tree/p`,
  );
  expect(tree, tree.stderr).toMatchObject({ code: 0 });
  expect(readdirSync(join(daemon.dir, 'tree'))).toEqual(['t']);
  expect(files('results')).toEqual(['a.txt', 'b.txt', 'c.log']);
});

test('a link above an output is not followed', async () => {
  for (const output of ['tree/passwd', 'tree/pass*', 'results/up/passwd']) {
    const ran = await run([output], 'ln -s /etc tree; mkdir results; ln -s /etc results/up');
    expect(ran.code, output).toBe(125);
    expect(ran.stderr).toContain('OUTPUT_UNSAFE');
    expect(ran.stderr).toContain('symlink');
  }
  expect(existsSync(join(daemon.dir, 'tree'))).toBe(false);
});

test('a local link at the place of an output is replaced, not written through', async () => {
  mkdirSync(join(daemon.dir, 'out'));
  writeFileSync(join(daemon.dir, 'out/mine'), 'mine');
  symlinkSync('mine', join(daemon.dir, 'out/a.txt'));
  const ran = await run(['a.txt:out/a.txt', '--overwrite'], 'echo new >a.txt');
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(text('out/mine')).toBe('mine');
  expect(lstatSync(join(daemon.dir, 'out/a.txt')).isFile()).toBe(true);
});

test('bits that give rights stay on the host', async () => {
  const ran = await run(
    ['a.txt', 'tree'],
    'echo a >a.txt; chmod 6755 a.txt; mkdir -m 2777 tree; cp -p a.txt tree/',
  );
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  for (const name of ['a.txt', 'tree/a.txt', 'tree']) {
    expect(statSync(join(daemon.dir, name)).mode & 0o7022, name).toBe(0);
  }
});

test('a name with a control character is refused before anything is fetched', async () => {
  const ran = await run(['tree', 'a.txt'], `echo a >a.txt; mkdir tree; echo t >$'tree/new\\nline'`);
  expect(ran.code).toBe(125);
  expect(ran.stderr).toContain('OUTPUT_UNSAFE');
  expect(existsSync(join(daemon.dir, 'a.txt'))).toBe(false);
});

test('an empty file and one of many megabytes arrive with their hashes', async () => {
  const ran = await run(
    ['out'],
    'mkdir out; : >out/empty; head -c 20000000 /dev/urandom >out/large; sha256sum out/*',
  );
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  const sums = files('out').map((name) => {
    const bytes = readFileSync(join(daemon.dir, 'out', name));
    return `${createHash('sha256').update(bytes).digest('hex')}  out/${name}\n`;
  });
  expect(sums.join('')).toBe(ran.stdout);
});
