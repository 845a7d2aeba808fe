/**
 * Goal: logins that restrict or replace the shell, and hosts that let a program have few arguments, work or
 * are one clear error. Method: login shell and startup file of a spare host's user.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDaemon, type TaskJson, type TestDaemon } from '../support/daemon.ts';
import { type SpareHost, startSpareHost } from '../support/faults/spare-host.ts';
import { until } from '../support/until.ts';

let spare: SpareHost;

beforeAll(async () => {
  spare = await startSpareHost();
});

afterAll(() => spare[Symbol.asyncDispose]());

/** A daemon that meets alice with this login shell and this startup file. */
async function daemonFor(shell: string, startup: string): Promise<TestDaemon> {
  await spare.sh('usermod -s "$1" alice; printf "%s\\n" "$2" >~alice/.bashrc', shell, startup);
  const root = `/home/alice/odd-${crypto.randomUUID().slice(0, 8)}`;
  const daemon = makeDaemon({ hosts: { far: { on: spare.name, keys: { ...spare.keys, root } } } });
  await daemon.start();
  return daemon;
}

const submit = (daemon: TestDaemon, ...command: string[]) =>
  daemon.submit('--host', 'far', spare.image, '--', ...command);

async function outcome(daemon: TestDaemon, ...command: string[]): Promise<TaskJson> {
  const id = await submit(daemon, ...command);
  await daemon.cli('wait', id);
  return daemon.show(id);
}

const IN_A_TERMINAL =
  '[ -n "$INSIDE" ] || { INSIDE=1; export INSIDE; exec script -qc bash /dev/null; }';

test.each([
  ['a restricted shell', '/bin/rbash', '', 'restricted'],
  ['a startup file that puts a terminal in its place', '/bin/bash', IN_A_TERMINAL, '.bashrc'],
])('row 26: %s is one clear error that says why', async (_, shell, startup, why) => {
  await using daemon = await daemonFor(shell, startup);
  const id = await submit(daemon, 'true');
  await until(
    async () => (await daemon.show(id)).blocked !== undefined,
    () => daemon.log(),
  );
  const { blocked } = await daemon.show(id);
  expect(blocked).toMatchObject({ reason: 'HOST_SHELL_UNUSABLE' });
  expect(blocked?.message).toContain(why);
});

test.each(['ulimit -s 256', 'ulimit -S -s 256'])(
  "row 27: after %j a task runs; one with more words than the runtime carries is told in the runtime's words",
  async (startup) => {
    await using daemon = await daemonFor('/bin/bash', startup);
    expect((await outcome(daemon, 'echo', 'x'.repeat(10_000))).state).toBe('succeeded');
    const { failure } = await outcome(daemon, 'echo', 'x'.repeat(60_000));
    expect(failure?.code).toBe('RUNTIME_START_FAILED');
    expect(failure?.message).toMatch(/configuration.*ulimit/);
  },
);
