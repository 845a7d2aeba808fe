/**
 * Goal: scripts in TypeScript, bash and Python drive tasks: output live and byte-exact over a daemon that is
 * killed, failures told with their codes, Ctrl-C cancels. Method: the examples as a user would start them, at the
 * same time, against the built daemon and package; what only the Python client has to get right, against a fake daemon.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../../src/client/public.ts';
import type { TaskView } from '../../src/protocol/views.ts';
import { MINI, REPO } from '../support/bed.ts';
import { finished, isBuilt, makeDaemon, type Ran, type TestDaemon } from '../support/daemon.ts';
import { FakeDaemon } from '../support/fake-daemon.ts';
import { until } from '../support/until.ts';

const EXAMPLES = join(REPO, 'examples/clients');
const SCRIPTS = {
  typescript: [process.execPath, join(EXAMPLES, 'pipeline.ts')],
  bash: [join(EXAMPLES, 'pipeline.sh')],
  python: ['python3', join(EXAMPLES, 'pipeline.py')],
} as const;
const PRINTED = `counted lines 1 to 2 of 8
counted lines 3 to 4 of 8
counted lines 5 to 6 of 8
counted lines 7 to 8 of 8
done: 34 different words
the most frequent:
10 the
4 and
3 line
no unicorn: grep ended with 1
`;

let daemon: TestDaemon;

beforeAll(async () => {
  // the examples import the package as it was built
  if (!isBuilt()) throw new Error('dist is older than the sources: npm run build');
  daemon = makeDaemon();
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

interface Script {
  child: ChildProcess;
  ran: Promise<Ran>;
  /** Resolves when it has printed something. */
  begun: Promise<unknown>;
}

/** In a group of its own, as a shell starts it at a terminal. */
function start([command, ...args]: readonly string[], socket = daemon.socket): Script {
  const child = spawn(command ?? '', args, {
    env: {
      ...process.env,
      TOWLINE_SOCKET: socket,
      PYTHONPATH: EXAMPLES,
      PYTHONDONTWRITEBYTECODE: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ran = finished(child);
  const begun = new Promise((resolve) => child.stdout?.once('data', resolve));
  return { child, ran, begun: Promise.race([begun, ran]) };
}

const python = (text: string, ...args: string[]) => ['python3', '-c', text, ...args];

/** Hashes what a follower in Python gets. */
const FOLLOW = `import hashlib, sys
from towline import Towline
seen = hashlib.sha256()
for chunk in Towline().logs(sys.argv[1]):
    seen.update(chunk)
    print(len(chunk), file=sys.stderr)
print(seen.hexdigest())`;

/** Half of it, then the other half when it is let go. */
const HALVES = `half() {
  i=0
  while [ "$i" -lt 6 ]; do
    head -c 300000 /dev/urandom | tee -a all
    i=$((i + 1))
  done
}
half
until [ -e go ]; do sleep 0.05; done
half
sha256sum <all >&2`;

test('three scripts print the same over a daemon that is killed in the middle; streams of bytes are whole', async () => {
  const client = createClient({ socketPath: daemon.socket });
  const task = await client.run({ image: MINI, command: ['sh', '-c', HALVES] });
  const follower = start(python(FOLLOW, task.id));
  const scripts = Object.entries(SCRIPTS).map(([name, words]) => ({ name, ...start(words) }));
  const seen = createHash('sha256');
  let bytes = 0;
  const reading = (async () => {
    for await (const chunk of task.stdout) {
      seen.update(chunk);
      bytes += chunk.length;
    }
  })();
  await Promise.all(scripts.map(({ begun }) => begun));
  await until(() => bytes > 0);
  await daemon.kill('SIGKILL');
  await daemon.start();
  await until(
    async () => (await daemon.cli('exec', '-n', task.id, '--', 'touch', 'go')).code === 0,
  );
  for (const { name, ran } of scripts) {
    expect({ name, ...(await ran) }).toEqual({
      name,
      code: 0,
      signal: null,
      stdout: PRINTED,
      stderr: '',
    });
  }
  await task.done;
  await reading;
  const sha256 = (await task.stderr.text()).slice(0, 64);
  expect({ bytes, sha256: seen.digest('hex') }).toEqual({ bytes: 3_600_000, sha256 });
  expect((await follower.ran).stdout).toBe(`${sha256}\n`);
});

test('Ctrl-C cancels what they have submitted', async () => {
  const scripts = Object.entries(SCRIPTS).map(([name, words]) => ({ name, ...start(words) }));
  await Promise.all(
    scripts.map(async ({ child, begun }) => {
      await begun;
      process.kill(-(child.pid ?? 0), 'SIGINT');
    }),
  );
  for (const { name, ran } of scripts)
    expect({ name, code: (await ran).code }).toEqual({ name, code: 130 });
  const client = createClient({ socketPath: daemon.socket });
  const { tasks } = await client.list({ limit: 9 });
  const ended = await Promise.all(tasks.map(({ id }) => client.wait(id)));
  const states = (name: string) =>
    ended.filter((task) => task.name === name).map(({ state }) => state);
  expect(states('count')).toEqual(['cancelled', 'cancelled', 'cancelled']);
  // those that waited for it were cancelled, or have heard of its end first
  const others = ended.filter(({ name }) => name !== 'count');
  const hasStarted = ({ state, failure }: TaskView): boolean =>
    state !== 'cancelled' && failure?.code !== 'TASK_PREDECESSOR_FAILED';
  expect(others.filter(hasStarted)).toEqual([]);
  expect(others).toHaveLength(6);
});

const ATTEMPTS = `from towline import TaskFailed, Towline, TowlineError
towline = Towline()
task = {"image": "docker://mini", "command": ["true"], "retries": 2}
with towline.run(task, key="k") as run:
    print(list(run.lines()))
    try:
        run.wait()
    except TaskFailed as failed:
        print(failed.code, failed.exit_code, failed.task["id"] == run.id, failed.hint != "")
print(towline.run(task, key="k").wait(check=False)["state"])
try:
    towline.run({**task, "time": "x"})
except TowlineError as error:
    print(error.code, type(error).__name__)
try:
    with towline.run({**task, "name": "hangs"}) as run:
        raise ValueError
except ValueError:
    try:
        run.wait()
    except TaskFailed as failed:
        print(failed.code)
try:
    Towline("/nonexistent/t.sock").run(task)
except TowlineError as error:
    print(error.code, error.hint)`;

test('the Python client: all attempts, typed errors, a block that is left by an exception', async () => {
  const fake = new FakeDaemon();
  await fake.start();
  try {
    fake.service.script = async ({ spec, attempt, stdout, cancelled }) => {
      if (spec.name === 'hangs') {
        await new Promise((resolve) => cancelled.addEventListener('abort', resolve));
      }
      stdout(`attempt ${attempt}\nlast`);
      return attempt < 2 && !cancelled.aborted ? 'retry' : 3;
    };
    const { code, stdout, stderr } = await start(python(ATTEMPTS), fake.socketPath).ran;
    expect({ code, stderr, lines: stdout.split('\n') }).toEqual({
      code: 0,
      stderr: '',
      lines: [
        "['attempt 1', 'last', 'attempt 2', 'last']",
        'TASK_EXIT_CODE 3 True True',
        'failed',
        'TASK_INVALID TowlineError',
        'TASK_CANCELLED',
        'DAEMON_NOT_RUNNING start it: towline daemon',
        '',
      ],
    });
  } finally {
    await fake.end();
  }
});
