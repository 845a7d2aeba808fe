/**
 * Goal: what a command used is in its exit record, however it ended, and no record is lost for it. Method: real
 * supervisors in each shell, with commands that burn a known time.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ExitRecord } from '../../src/domain/state.ts';
import { openBench } from '../support/script-bench.ts';
import { SHELLS } from '../support/shells.ts';
import { until } from '../support/until.ts';

/** Half a second of a processor's time, in a process below the command. */
const BURN =
  "bash -c 'while :; do for ((i = 0; i < 9999; i++)); do :; done; read -r s </proc/self/stat; set -- $s; [ ${14} -lt 50 ] || exit 0; done'";
async function begun(line: string, shell: readonly string[] = ['dash'], timeLimitMs = 0) {
  const on = await openBench(shell);
  onTestFinished(() => on[Symbol.asyncDispose]());
  const attempt = on.attempt(line, { launch: { timeLimitMs } });
  await attempt.launch();
  const used = async () => (await attempt.ended()).exit as ExitRecord;
  return { attempt, used };
}

describe.each(SHELLS)('%s', (...shell) => {
  test('tells wall and processor time of a command that failed', async () => {
    const { used } = await begun(`${BURN}; sleep 0.3; exit 3`, shell);
    const { code, usage } = await used();
    expect(code).toBe(3);
    expect(usage?.cpuUserMs).toBeGreaterThanOrEqual(450);
    expect(usage?.wallMs).toBeGreaterThanOrEqual(750);
    expect(usage?.cpuSystemMs).toBeGreaterThanOrEqual(0);
  });
});

test('a cancelled attempt tells it too', async () => {
  const { attempt, used } = await begun(`${BURN}; : >work/burnt; sleep 100`);
  await until(() => existsSync(join(attempt.dir, 'work/burnt')));
  await attempt.cancel(0);
  const { usage } = await used();
  expect(usage?.cpuUserMs).toBeGreaterThanOrEqual(0);
  expect(usage?.wallMs).toBeGreaterThanOrEqual(450);
});

test('an attempt at its time limit tells it too', async () => {
  const { used } = await begun(`${BURN}; sleep 100`, ['dash'], 1500);
  const { limit, usage } = await used();
  expect(limit).toBe('time');
  expect(usage?.wallMs).toBeGreaterThanOrEqual(1500);
  expect(usage?.cpuUserMs).toBeGreaterThan(0);
});
