/**
 * Goal: a cancel that races publishing, the ticket or the exit, or that is asked for while the host is cut
 * off, is carried out once and wholly, whatever happens to the daemon. Method: the daemon pauses at a point
 * that a traced run told, the cancel comes, the daemon goes on, goes on late or is killed; a proxy as the
 * host's port swallows everything. `scripts/faults walk --race MOVE --all` takes every point.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BED, MINI, SSH_PORT } from '../support/bed.ts';
import { COUNTED, heldAt, remains, startLedger, stored } from '../support/crash-task.ts';
import { makeDaemon } from '../support/daemon.ts';
import { PATIENCE } from '../support/patience.ts';
import { shareOf } from '../support/share.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { spread } from './walk/points.ts';
import { MOVES, type Move, raceAt, tracePointsOfRace } from './walk/race.ts';
import { howAgain } from './walk/replay.ts';
import { inLanes, type Outcome } from './walk/walk.ts';

/** Many races: half a minute on a quiet machine, longer beside others. */
const LIMIT = { timeout: 600_000 * PATIENCE };
const LANES = 3;
/** Races of each kind beside those at `ALWAYS`. */
const SHARE = 1;
/** Publishing, the ticket, the exit: where the daemon does not know yet what the host has done. */
const ALWAYS = /^(launch|commit\.(launched|exited))\.(before|after)/;

test(
  'row 32: a cancel that races publish, ticket and exit ends the task once and wholly',
  LIMIT,
  async () => {
    const points = await tracePointsOfRace();
    const always = points.filter((point) => ALWAYS.test(point));
    expect(always).toHaveLength(6);
    const runs = MOVES.flatMap((move, index) => {
      const mine = always.filter((_, at) => at % MOVES.length === index);
      return [...spread(points, SHARE), ...mine].map((point): [string, Move] => [point, move]);
    });
    const outcomes: Outcome[] = [];
    await inLanes(runs, LANES, async ([point, move]) => {
      outcomes.push(await raceAt(point, move));
    });
    expect(outcomes.filter(({ violation }) => violation !== undefined).map(howAgain)).toEqual([]);
    expect(outcomes.filter(({ reached }) => reached === 1).length).toBeGreaterThan(runs.length / 2);
  },
);

const HELD: [point: string, state: string, starts: number][] = [
  ['launch.after', 'launching', 1],
  ['launch.before', 'launching', 0],
  ['collect.before', 'collecting', 1],
];
test.concurrent.each(shareOf(HELD, 1))(
  'row 32: a cancel during a cut, held at %s: one clean end when the host is back',
  async (point, state, starts) => {
    const proxy = await startTcpProxy(Number(SSH_PORT));
    try {
      const keys = { ...COUNTED, port: String(proxy.port), connect_timeout: '2s' };
      await using daemon = makeDaemon({ vm: keys });
      const known = join(daemon.dir, 'known_hosts');
      const pinned = readFileSync(join(BED, 'known_hosts'), 'utf8');
      writeFileSync(known, pinned.replaceAll(`:${SSH_PORT}`, `:${proxy.port}`));
      const config = readFileSync(daemon.configFile, 'utf8');
      writeFileSync(daemon.configFile, config.replace(join(BED, 'known_hosts'), known));
      const ledger = startLedger(daemon);
      await daemon.start({ TOWLINE_FAULT: `${point}:pause` });
      const payload = `${ledger.line}; echo made >made; ${state === 'collecting' ? 'true' : 'sleep 60'}`;
      const id = await daemon.submit(
        ...['--host', 'vm', ...ledger.args, '--cleanup', 'always'],
        ...['--output', `made:${join(daemon.dir, 'made')}`, MINI, '--', 'sh', '-c', payload],
      );
      await heldAt(daemon, point, 'pause');
      expect(stored(daemon, id)?.kind).toBe(state);
      proxy.blackHole();
      proxy.cut();
      expect((await daemon.cli('cancel', id)).stdout).toBe(`${id} cancelling\n`);
      process.kill(daemon.pid(), 'SIGUSR2');
      await until(() => stored(daemon, id)?.blocked !== undefined);
      expect(stored(daemon, id)?.kind).toBe('cancelling');
      proxy.heal();
      expect((await daemon.cli('wait', id)).stdout).toMatch(`${id} cancelled`);
      await until(() => stored(daemon, id)?.cleanup === 'done');
      expect(ledger.starts()).toHaveLength(starts);
      expect(await remains(daemon, `${id}.1`)).toBe('');
      ledger.remove();
    } finally {
      await proxy.stop();
    }
  },
);
