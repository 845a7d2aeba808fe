/**
 * Goal: what `towline workflow` prints and how it ends. Method: the real command as a process; for run a
 * fake engine behind a real socket, which starts tasks at once.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeDaemon } from '../../support/fake-daemon.ts';

let daemon: FakeDaemon;
beforeEach(async () => {
  daemon = new FakeDaemon();
  await daemon.start();
});
afterEach(() => daemon.end());

async function workflow(...args: string[]) {
  const { code, stdout, stderr } = await daemon.cli(['workflow', ...args]);
  return { code, stdout: stdout.toString(), stderr: stderr.toString() };
}

function write(text: string): void {
  writeFileSync(join(daemon.directory, 'w.yaml'), text);
}

const GOOD = `name: demo
defaults: { image: docker://mini }
parameters: { samples: [a, b] }
tasks:
  work: { command: ['\${s}'], scatter: { over: '\${samples}', as: s }, inputs: [data/in.txt] }
  merge: { command: [merge], after: [work] }
`;
const BAD = 'name: demo\ntasks:\n  a: { comand: [x] }\n  b: { command: [x], after: [c] }\n';

describe('check and graph', () => {
  it('say what would run, and in which order, without a daemon', async () => {
    await daemon.stop();
    write(GOOD);
    expect(await workflow('check', 'w.yaml')).toEqual({
      code: 0,
      stdout: 'ok: w.yaml: 2 tasks, 3 to run, 2 levels\n',
      stderr: '',
    });
    const graph = await workflow('graph', 'w.yaml', '--set', 'samples=p,q,r');
    expect(graph.stdout).toBe('work ×3\n  merge <- work\n');
    const mermaid = await workflow('graph', 'w.yaml', '--format', 'mermaid');
    expect(mermaid.stdout).toContain('t0 --> t1');
    const svg = await workflow('graph', 'w.yaml', '--format', 'svg');
    expect(svg.stdout).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" .*>work ×2<\/text>.*<\/svg>\n$/s,
    );
  });

  it('a file that is wrong is not run: all problems with their lines, exit 2, WORKFLOW_INVALID', async () => {
    write(BAD);
    const line = 'w.yaml:3:8: task a: comand is not known here; did you mean "command"?';
    const stdout = `${line}\nw.yaml:4:30: task b: after: no task "c" in this file\n`;
    expect(await workflow('check', 'w.yaml')).toEqual({ code: 2, stdout, stderr: '' });
    const json = await workflow('check', 'w.yaml', '--json');
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      problems: [
        { line: 3, column: 8 },
        { line: 4, column: 30 },
      ],
    });
    for (const verb of ['run', 'graph']) {
      const refused = await workflow(verb, 'w.yaml');
      expect(refused.code).toBe(2);
      expect(refused.stderr).toBe(
        `towline: WORKFLOW_INVALID: ${stdout.replace('\nw', '\n  w')}hint: mend the lines named, then: towline workflow check w.yaml\n`,
      );
    }
    const missing = await workflow('check', 'none.yaml');
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toContain('WORKFLOW_INVALID: none.yaml cannot be read');
    expect(daemon.service.entries.size).toBe(0);
  });
});

describe('run', () => {
  it('submits all at once, tagged, and tells each change on a line', async () => {
    write(GOOD);
    const ran = await workflow('run', 'w.yaml');
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^work\.0 {2}queued {2}-$/m);
    expect(ran.stdout).toMatch(/^merge {2}succeeded {2}-$/m);
    expect(ran.stderr).toMatch(/^towline: demo: 3 tasks submitted, workflow-run=[0-9a-f]{12}$/m);
    expect(ran.stderr).toContain('towline: 3 tasks: 3 succeeded\n');
    const specs = [...daemon.service.entries.values()].map(({ task }) => task.spec);
    expect(specs.map(({ name }) => name)).toEqual(['work.0', 'work.1', 'merge']);
    expect(specs[0]?.tags).toMatchObject({ workflow: 'demo' });
    expect(specs[0]?.inputs[0]?.source).toMatchObject({
      path: join(daemon.directory, 'data/in.txt'),
    });
  });

  it('ends with 3 and names what failed; with a key it is followed, not submitted again', async () => {
    write(GOOD);
    daemon.service.script = ({ spec }) => (spec.name === 'work.1' ? 7 : 0);
    const args = ['run', 'w.yaml', '--idempotency-key', 'k'];
    const first = await workflow(...args);
    expect(first.code).toBe(3);
    expect(first.stderr).toMatch(/^work\.1 \(\w+\): TASK_EXIT_CODE: .*\nhint: .+$/m);
    const second = await workflow(...args);
    expect(second.code).toBe(3);
    expect(second.stderr).toContain('followed: submitted before');
    expect(daemon.service.entries.size).toBe(3);
  });

  it('gives events and a summary as JSON lines', async () => {
    write(GOOD);
    const { code, stdout } = await workflow('run', 'w.yaml', '--json');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(code).toBe(0);
    expect(lines[0]).toMatchObject({ type: 'begin', workflow: 'demo', created: true });
    expect(
      lines.filter(({ type, state }) => type === 'event' && state === 'succeeded'),
    ).toHaveLength(3);
    expect(lines.at(-1)).toEqual({ type: 'end', ok: true, counts: { succeeded: 3 }, failed: [] });
  });
});
