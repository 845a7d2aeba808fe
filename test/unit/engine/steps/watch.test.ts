/** Goal: a watch ends by what is certain, with all that was printed. Method: a fake host with scripted looks, a real spool. */

import { expect, test } from 'vitest';
import { createWatch } from '../../../../src/engine/steps/watch.ts';
import { createWatchers } from '../../../../src/engine/watchers.ts';
import { TO_RUNNING } from '../../../support/builders.ts';
import { LOG, seatsOf, temporarySpool } from '../../../support/engine-parts.ts';
import { FakeHost } from '../../../support/fake-host.ts';
import { NO_JOBS } from '../../../support/no-jobs.ts';
import { contextOf, DIR, exitLine, statusReply, TOKEN } from './context.ts';

async function watch(look: (count: number) => string) {
  const host = new FakeHost();
  let looks = 0;
  host.on(/running attempts/, () => look((looks += 1)));
  const spool = await temporarySpool();
  const pauses: number[] = [];
  const whilePausing: { act?: (count: number) => void } = {};
  const step = createWatch({
    ...NO_JOBS,
    seats: await seatsOf([[{}, host]]),
    watchers: createWatchers({ spool, log: LOG }),
    spool,
    now: () => 10_000,
    pause: async (ms) => {
      pauses.push(ms);
      whilePausing.act?.(pauses.length);
    },
  });
  const { context } = contextOf({}, ...TO_RUNNING);
  return { start: () => step(context), host, spool, looks: () => looks, pauses, whilePausing };
}

const SEEN = '@ seen 0 there go';
const complete = (spool: Awaited<ReturnType<typeof temporarySpool>>) =>
  spool.attempt(TOKEN as never).isComplete();

test('an exit record ends it, with both streams sealed', async () => {
  const { start, host, spool } = await watch((n) =>
    n < 3
      ? statusReply([SEEN, '@ alive 0 5'], 2)
      : statusReply([SEEN, exitLine({ code: 4, out: 5 })], 5),
  );
  host.files.set(`${DIR}/stdout`, Buffer.from('12345'));
  expect(await start()).toMatchObject({ kind: 'exited', exit: { code: 4, finishedAt: 10_000 } });
  expect([await spool.bytes(TOKEN as never), await complete(spool)]).toEqual([
    { stdout: 5, stderr: 0 },
    true,
  ]);
});

test('a reboot of the same machine interrupts it', async () => {
  const { start } = await watch(() =>
    ['@ host other machine vm', SEEN, `@ size 0 ${DIR}/stdout`].join('\n'),
  );
  expect(await start()).toMatchObject({ kind: 'died', failure: { code: 'TASK_INTERRUPTED' } });
});

test('a supervisor that is gone is looked for three times, then asked what it left', async () => {
  const { start, host, looks } = await watch(() => statusReply([SEEN]));
  host.on(/^looking for what lives/, () => '@ survivors /');
  host.on(/^reading what/, () => '@ left - - - 0 0 0 ');
  expect(await start()).toMatchObject({ kind: 'died', failure: { code: 'TASK_INTERRUPTED' } });
  expect(looks()).toBe(4);
});

test('what was printed after the last look is fetched before a salvaged code is told', async () => {
  let size = 3;
  const { start, host, spool } = await watch(() => statusReply([SEEN], size));
  host.files.set(`${DIR}/stdout`, Buffer.from('abc and more'));
  host.on(/^looking for what lives/, () => {
    size = 12;
    return '@ survivors /';
  });
  host.on(/^reading what/, () => '@ left 6 - - 12 0 9 ');
  expect(await start()).toMatchObject({ kind: 'exited', exit: { code: 6, salvaged: true } });
  expect(await spool.bytes(TOKEN as never)).toEqual({ stdout: 12, stderr: 0 });
});

test('a stream that is shorter than its record is told as truncated; what came is kept and whole', async () => {
  const look = () => statusReply([SEEN, exitLine({ out: 9 })], 3);
  const { start, host, spool, pauses } = await watch(look);
  host.files.set(`${DIR}/stdout`, Buffer.from('abc'));
  expect(await start()).toMatchObject({
    kind: 'step-failed',
    failure: { code: 'STREAM_TRUNCATED', message: expect.stringContaining('9 bytes') },
    exit: { code: 0 },
  });
  expect(await complete(spool)).toBe(true);
  expect(pauses.reduce((sum, ms) => sum + ms)).toBe(60_000);
});

test('row 22: the end of a stream that shows after the record is awaited', async () => {
  const look = () => statusReply([SEEN, exitLine({ out: 5 })], 2);
  const { start, host, spool, pauses, whilePausing } = await watch(look);
  host.files.set(`${DIR}/stdout`, Buffer.from('12'));
  whilePausing.act = (count) => {
    if (count === 3) host.files.set(`${DIR}/stdout`, Buffer.from('12345'));
  };
  expect(await start()).toMatchObject({ kind: 'exited' });
  expect([await spool.bytes(TOKEN as never), pauses]).toEqual([
    { stdout: 5, stderr: 0 },
    [250, 500, 1_000],
  ]);
});

test('row 22: a size that is older than the record needs no wait: the file is opened anew', async () => {
  const { start, host, pauses } = await watch(() => statusReply([SEEN, exitLine({ out: 5 })], 2));
  host.files.set(`${DIR}/stdout`, Buffer.from('12345'));
  expect([await start(), pauses]).toMatchObject([{ kind: 'exited' }, []]);
});
