/**
 * A cancel that races the daemon's own work: the daemon pauses at a point, the cancel is asked for, then
 * the daemon goes on. Whoever wins, the task ends once: cancelled and never started, cancelled and nothing
 * of it left, or ended by itself and whole.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WireTaskSpec } from '../../../src/client/client.ts';
import { isAppError } from '../../../src/domain/failure.ts';
import { MINI } from '../../support/bed.ts';
import { runtimeStarts, type StartLedger, startLedger, stored } from '../../support/crash-task.ts';
import { makeDaemon, type TestDaemon } from '../../support/daemon.ts';
import { eventually } from './eventually.ts';
import { type Lives, passedIn, startLives } from './lives.ts';
import { WALKED } from './one-task.ts';
import { assertNothingHalf, leftOnHost, outputDirectory, streamOf } from './oracle.ts';
import { distinct } from './points.ts';
import { inTime, type Outcome, recorded } from './walk.ts';

/**
 * What happens to the daemon once it was asked to cancel. release: it goes on at once; late: it goes on
 * when the cancel is over, as a step that was slow; kill: it is killed where it paused.
 */
export const MOVES = ['release', 'late', 'kill'] as const;
export type Move = (typeof MOVES)[number];

const STDOUT = 'begun\nstill\nover\n';
const OUTPUT = 'made\n';
/** A cancel that the pause itself holds up is not waited for longer. */
const LATE_MS = 1_500;

interface Race {
  daemon: TestDaemon;
  ledger: StartLedger;
  lives: Lives;
  id: string;
}

/** The points at which there is a task to cancel, in order. */
export async function tracePointsOfRace(): Promise<string[]> {
  await using daemon = makeDaemon(WALKED);
  const lives = startLives(daemon, [{ TOWLINE_FAULT_TRACE: '1' }]);
  const race = await begin(daemon, lives);
  const view = await lives.ask((client) => client.wait(race.id));
  assert.equal(view.state, 'succeeded');
  await lives.stop();
  race.ledger.remove();
  const points = distinct(passedIn(lives.log(0)));
  return points.slice(points.indexOf('commit.submitted.after:1') + 1);
}

/** One race. What the point holds up is found by the pause, so a plan has one point. */
export async function raceAt(point: string, move: Move): Promise<Outcome> {
  await using daemon = makeDaemon(WALKED);
  const lives = startLives(daemon, [{ TOWLINE_FAULT: `${point}:pause` }]);
  return await recorded({ name: `race-${move}`, plan: [point], daemon, lives }, async () => {
    const race = await begin(daemon, lives);
    const accepted = await inTime(lives, cancelAt(race, move), 'the cancel is not answered');
    const settledAt = await inTime(lives, settled(race, accepted), 'the task has not ended');
    race.ledger.remove();
    return settledAt;
  });
}

async function begin(daemon: TestDaemon, lives: Lives): Promise<Race> {
  const ledger = startLedger(daemon);
  const out = outputDirectory(daemon);
  mkdirSync(out);
  const payload = `${ledger.line}
echo begun; sleep 0.2; echo still; echo made >made; sleep 0.2; echo over`;
  const spec: WireTaskSpec = {
    host: 'vm',
    image: MINI,
    command: ['sh', '-c', payload],
    inputs: [{ content: `${out}\n`, target: 'input' }],
    outputs: [{ path: 'made', local: join(out, 'made') }],
    binds: ['/ledger:/ledger'],
    cleanup: 'always',
  };
  const submitted = await lives.ask((client) => client.submit([spec], { idempotencyKey: 'once' }));
  return { daemon, ledger, lives, id: submitted.tasks[0]?.id ?? '' };
}

/** True when the cancel was accepted, false when the task had ended before, or the point never came. */
async function cancelAt({ daemon, lives, id }: Race, move: Move): Promise<boolean> {
  const paused = (): boolean => lives.log(0).includes('reached (pause)');
  const isEnded = (): boolean => 'finishedAt' in (stored(daemon, id) ?? {});
  await eventually(() => paused() || isEnded());
  if (!paused()) return false;
  const asked = lives
    .ask((client) => client.cancel(id))
    .then(
      () => true,
      (error: unknown) => {
        if (isAppError(error) && error.code === 'TASK_WRONG_STATE') return false;
        throw error;
      },
    );
  // A commit that pauses holds up the answer, too; then it is enough that the daemon has heard.
  await Promise.race([asked, lives.ask((client) => client.health())]);
  if (move === 'late') {
    const ended = lives.ask((client) => client.wait(id, { timeoutMs: LATE_MS }));
    await Promise.race([ended, asked.then(() => ended)]);
  }
  if (move === 'kill') await lives.kill();
  else lives.process().kill('SIGUSR2');
  return await asked;
}

/** @throws AssertionError when it did not end once and cleanly */
async function settled(race: Race, accepted: boolean): Promise<number> {
  const { daemon, ledger, lives, id } = race;
  const view = await lives.ask((client) => client.wait(id));
  await eventually(() => ['done', 'none'].includes(stored(daemon, id)?.cleanup ?? ''));
  const settledAt = performance.now();
  const stdout = await streamOf(lives.ask, id, 'stdout');
  await lives.stop();
  const starts = ledger.starts();
  const out = outputDirectory(daemon);
  const outputs = readdirSync(out).map((name) => readFileSync(join(out, name), 'utf8'));
  assertNothingHalf(daemon, [out]);
  assert.equal(view.state, accepted ? 'cancelled' : 'succeeded');
  assert.equal(await leftOnHost(daemon, [`${id}.1`]), '', 'nothing is left on the host');
  assert.ok(starts.length <= 1 && runtimeStarts(`${id}.1`) <= 1, `started ${starts.join(' ')}`);
  assert.ok(STDOUT.startsWith(stdout), `stdout is a beginning of what was printed: ${stdout}`);
  assert.ok(
    outputs.every((text) => text === OUTPUT),
    'outputs are whole',
  );
  if (!accepted) assert.deepEqual([starts.length, stdout, outputs], [1, STDOUT, [OUTPUT]]);
  return settledAt;
}
