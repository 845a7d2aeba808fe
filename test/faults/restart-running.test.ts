/**
 * Goal: a daemon that was killed takes up hundreds of running tasks together. Method: attempts planted on two hosts of
 * the bed, counted: logins, commits, what was asked of the hosts. No times: scripts/bench has them, with ten thousand.
 */
import { expect, test } from 'vitest';
import { makeDaemon } from '../support/daemon.ts';
import { metrics } from '../support/metrics.ts';
import { plantRunning } from '../support/running-attempts.ts';
import { until } from '../support/until.ts';

const EACH = 150;
const PLACES = [
  { name: 'one', on: 'vm' },
  { name: 'two', on: 'vm2' },
] as const;
const LOOK = `looking at ${EACH} running attempts`;

interface HostCall {
  msg: string;
  host: string;
  purpose?: string;
}

test('hundreds of running tasks are looked at together after a kill, and nothing is written for them', async () => {
  await using daemon = makeDaemon({
    hosts: Object.fromEntries(PLACES.map(({ name, on }) => [name, { on }])),
  });
  await daemon.start();
  for (const { name } of PLACES)
    expect(await daemon.cli('host', 'show', name)).toMatchObject({ code: 0 });
  await daemon.kill();
  await using _planted = await plantRunning(daemon, PLACES, EACH);
  // the second start finds what the first one was killed over
  for (let start = 0; start < 2; start += 1) {
    const before = daemon.log().length;
    await daemon.start();
    const calls = (): HostCall[] =>
      daemon
        .log()
        .slice(before)
        .split('\n')
        .filter((line) => line.includes('"msg":"host call"') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as HostCall);
    const looks = (host: string): number =>
      calls().filter((call) => call.host === host && call.purpose === LOOK).length;
    // a supervisor that is not there would be believed dead after three
    await until(() => PLACES.every(({ name }) => looks(name) > 4));
    const numbers = await metrics(daemon);
    expect(numbers['towline_tasks{state="running"}']).toBe(EACH * PLACES.length);
    expect(numbers['towline_store_changes_total']).toBe(0);
    for (const { name } of PLACES)
      expect(numbers[`towline_host_logins_total{host="${name}",result="ok"}`]).toBe(1);
    const others = calls().filter(({ purpose = '' }) => !/^looking at \d+ running/.test(purpose));
    expect(others.map(({ purpose }) => purpose)).toEqual([]);
    await daemon.kill('SIGKILL');
  }
});
