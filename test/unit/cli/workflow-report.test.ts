/**
 * Goal: what `towline workflow report` prints and writes, whatever tasks are called and say. Method: the real
 * command as a process; a fake engine behind a real socket runs the workflow.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import { FakeDaemon } from '../../support/fake-daemon.ts';

/** What the door lets in as a name, and what a host may say. */
const HOSTILE = '</pre></script><script>alert(1)</script> & "quoted" \'single\'';
const SAID = `${HOSTILE}\u202egnp\u001b[2J`;
const TAGS = { workflow: HOSTILE, 'workflow-run': 'r1' };

let daemon: FakeDaemon;
beforeAll(async () => {
  daemon = new FakeDaemon();
  await daemon.start();
  daemon.service.script = ({ spec, attempt, pass }) => {
    pass('launching');
    if (spec.name === HOSTILE) return new AppError('IMAGE_NOT_FOUND', `no ${SAID}`);
    return spec.name === 'again' && attempt === 1 ? 'retry' : 0;
  };
  const task = (name: string) => ({ name, image: 'docker://mini', command: ['x'], tags: TAGS });
  writeFileSync(
    join(daemon.directory, 'tasks.json'),
    JSON.stringify([task('good'), task(HOSTILE), task('again'), { ...task('other'), tags: {} }]),
  );
  await daemon.cli(['submit', '--file', 'tasks.json']);
});
afterAll(() => daemon.end());

async function report(...args: string[]) {
  const { code, stdout, stderr } = await daemon.cli(['workflow', 'report', ...args]);
  return { code, stdout: stdout.toString(), stderr: stderr.toString() };
}

it('tells the tasks of the run in the order of their submission, and what failed', async () => {
  const { code, stdout } = await report('r1');
  expect(code).toBe(0);
  expect(stdout).toContain('3 tasks: 2 succeeded, 1 error\n');
  expect(stdout.split('\n').map((line) => line.slice(0, 5))).toEqual(
    expect.arrayContaining(['NAME ', 'good ', '</pre', 'again']),
  );
  expect(stdout.indexOf('\ngood')).toBeLessThan(stdout.indexOf('\nagain'));
  expect(stdout).toContain('IMAGE_NOT_FOUND: no </pre>');
  expect(stdout).not.toContain('\u001b');
  expect(stdout).not.toContain('\u202e');
});

it('as JSON: attempts with their states and times', async () => {
  const { stdout } = await report('r1', '--json');
  const { tasks, ...rest } = JSON.parse(stdout) as {
    tasks: {
      name: string;
      attempts: { attempt: number; stretches: { state: string; from: string }[] }[];
    }[];
  };
  expect(rest).toMatchObject({ run: 'r1', over: true, counts: { succeeded: 2, error: 1 } });
  expect(tasks.map(({ name }) => name)).toEqual(['good', HOSTILE, 'again']);
  expect(tasks[2]?.attempts.map(({ attempt }) => attempt)).toEqual([1, 2]);
  for (const { stretches } of tasks.flatMap(({ attempts }) => attempts))
    for (const { from } of stretches) expect(from).toMatch(/^\d{4}-.*Z$/);
});

describe('the page', () => {
  it('has no script, allows none, and nothing of a name or message is markup', async () => {
    expect(await report('r1', '--html', 'r.html')).toEqual({ code: 0, stdout: '', stderr: '' });
    const page = readFileSync(join(daemon.directory, 'r.html'), 'utf8');
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(page).toContain(`default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;`);
    const tags = new Set([...page.matchAll(/<([a-z0-9]+)/g)].map(([, tag]) => tag));
    for (const tag of ['script', 'link', 'iframe', 'object', 'base', 'form'])
      expect(tags).not.toContain(tag);
    expect(page).not.toMatch(/\son\w+=|\sstyle=|javascript:|https?:\/\/(?!www\.w3\.org)/);
    for (const hidden of ['\u202e', '\u001b']) expect(page).not.toContain(hidden);
    expect(page).toContain(
      'alert(1)&lt;/script&gt; &amp; &quot;quoted&quot; &#39;single&#39;\\u202egnp\\x1b[2J',
    );
    expect(page.match(/<pre/g) ?? []).toHaveLength((page.match(/<\/pre>/g) ?? []).length);
  });

  it('goes to stdout with -, and with --json there is both', async () => {
    expect((await report('r1', '--html', '-')).stdout).toMatch(
      /^<!doctype html>[\s\S]*<\/html>\n$/,
    );
    const both = await report('r1', '--html', 'both.html', '--json');
    expect(JSON.parse(both.stdout)).toMatchObject({ run: 'r1' });
    expect(readFileSync(join(daemon.directory, 'both.html'), 'utf8')).toContain('</html>');
  });
});

it('a run that nobody knows is told as such: WORKFLOW_RUN_UNKNOWN, exit 11', async () => {
  const { code, stderr } = await report('nobody');
  expect(code).toBe(11);
  expect(stderr).toMatch(
    /^towline: WORKFLOW_RUN_UNKNOWN: no task has the tag workflow-run=nobody\nhint: /,
  );
});

it('a page that cannot be written leaves nothing: REPORT_WRITE_FAILED', async () => {
  mkdirSync(join(daemon.directory, 'taken'));
  for (const target of ['taken', 'nowhere/r.html']) {
    const { code, stderr } = await report('r1', '--html', target);
    expect(code).toBe(3);
    expect(stderr).toContain('REPORT_WRITE_FAILED');
  }
  expect(readdirSync(daemon.directory).filter((name) => name.includes('.part'))).toEqual([]);
});
