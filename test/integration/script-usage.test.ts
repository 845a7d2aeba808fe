/**
 * Goal: what a command used is in its exit record, however it ended, and no record is lost for it. Method: real
 * supervisors in each shell, with commands that burn time and fill memory by known amounts.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ExitRecord } from '../../src/domain/state.ts';
import { openBench } from '../support/script-bench.ts';
import { SHELLS } from '../support/shells.ts';
import { until } from '../support/until.ts';

const MIB = 1024 * 1024;
/** Half a second of a processor's time, in a process below the command. */
const BURN =
  "bash -c 'while :; do for ((i = 0; i < 9999; i++)); do :; done; read -r s </proc/self/stat; set -- $s; [ ${14} -lt 50 ] || exit 0; done'";
/** Sixty-four MiB held by a process that waits for a file. */
const HOLD =
  "bash -c 'printf -v held %67108864s x; : >work/held; until [ -e work/go ]; do sleep 0.05; done'";

async function begun(line: string, shell: readonly string[] = ['dash'], timeLimitMs = 0) {
  const on = await openBench(shell);
  onTestFinished(() => on[Symbol.asyncDispose]());
  const attempt = on.attempt(line, { launch: { timeLimitMs } });
  await attempt.launch();
  const named = (test: (name: string) => boolean) =>
    until(async () => (await attempt.names()).some(test));
  const used = async () => (await attempt.ended()).exit as ExitRecord;
  return { on, attempt, named, used };
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

  test('tells the peak of the largest process below it', async () => {
    const { attempt, named, used, on } = await begun(`${HOLD}; true`, shell);
    await named((name) => name.startsWith('.usage.'));
    await until(async () => {
      const name = (await attempt.names()).find((file) => file.startsWith('.usage.')) ?? '';
      return Number((await attempt.read(name)).trim().split(/ +/)[2]) > 64 * 1024;
    });
    await on.run(`touch '${attempt.dir}/work/go'`);
    const { code, usage } = await used();
    expect(code).toBe(0);
    expect(usage?.maxRssBytes).toBeGreaterThan(64 * MIB);
    expect(usage?.maxRssBytes).toBeLessThan(200 * MIB);
    await until(async () => (await on.living(attempt.token)).crew.length === 0);
  });
});

test('a cancelled attempt tells it too, and what was killed with its parent is not forgotten', async () => {
  const { attempt, named, used } = await begun(
    `${BURN} & ${BURN}; : >work/burnt; trap '' TERM; sleep 100 & sleep 100`,
  );
  await named((name) => name.startsWith('.usage.'));
  await attempt.cancel(0);
  const { usage } = await used();
  expect(usage?.cpuUserMs).toBeGreaterThan(0);
  expect(usage?.wallMs).toBeGreaterThanOrEqual(1000);
});

test('an attempt at its time limit tells it too', async () => {
  const { used } = await begun(`${BURN}; sleep 100`, ['dash'], 1500);
  const { limit, usage } = await used();
  expect(limit).toBe('time');
  expect(usage?.wallMs).toBeGreaterThanOrEqual(1500);
  expect(usage?.cpuUserMs).toBeGreaterThan(0);
});
