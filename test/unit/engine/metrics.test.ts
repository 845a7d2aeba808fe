/** Goal: the engine's numbers, well formed whatever a host is called. Method: real ledger, fake hosts, strict reader. */
import { expect, test } from 'vitest';
import { prometheusText } from '../../../src/api/routes/metrics.ts';
import type { TaskId } from '../../../src/domain/task.ts';
import { createMetrics } from '../../../src/engine/metrics.ts';
import type { HostBudget } from '../../../src/remote/host.ts';
import { aTask, exitOf, TO_RUNNING } from '../../support/builders.ts';
import { openBooks, seatsOf } from '../../support/engine-parts.ts';
import { FakeHost } from '../../support/fake-host.ts';
import { readMetrics } from '../../support/read-metrics.ts';

const ID = 'task1' as TaskId;
const LOGINS = { burst: 6, refillMs: 10_000, left: 4, usedLastHour: 2, waiting: 0 };
const BUDGET: HostBudget = {
  logins: { ...LOGINS, failed: 3, refused: 2 },
  channels: { open: 2, limit: 1, connections: 2, refused: 1 },
  jumps: [],
  nodes: [],
};

async function house() {
  const { ledger, store } = openBooks();
  const vm = new FakeHost();
  const odd = new FakeHost('a"b\\c\nd');
  const seats = await seatsOf([
    [{}, vm],
    [{}, odd],
  ]);
  const metrics = createMetrics({ ledger, seats, store });
  const read = () => readMetrics(prometheusText(metrics()));
  await ledger.insert([aTask({})]);
  return { ledger, vm, odd, seats, read };
}

test('tasks by state, the queue, ends by outcome, and the ledger', async () => {
  const { ledger, read } = await house();
  expect(read().get('towline_queue_length')).toBe(1);
  for (const event of TO_RUNNING) await ledger.apply(ID, event);
  expect(Object.fromEntries(read())).toMatchObject({
    'towline_tasks{state="queued"}': 0,
    'towline_tasks{state="running"}': 1,
    towline_queue_length: 0,
    'towline_tasks_ended_total{outcome="succeeded"}': 0,
    towline_store_transactions_total: 1 + TO_RUNNING.length,
  });
  await ledger.apply(ID, { kind: 'exited', attempt: 1, exit: exitOf(0) });
  // Its cleaning is told after the end and does not count as another.
  await ledger.apply(ID, { kind: 'cleaned', attempt: 1 });
  const after = read();
  expect(after.get('towline_tasks_ended_total{outcome="succeeded"}')).toBe(1);
  expect([...after.keys()]).not.toContain('towline_tasks{state="succeeded"}');
});

test('hosts by the state of their link, and what each was asked', async () => {
  const { vm, odd, read } = await house();
  await vm.run('', { purpose: 'looking at host vm' });
  odd.setLink({ kind: 'unreachable', since: 0, code: 'c', message: 'm', nextTryAt: 1 });
  expect(Object.fromEntries(read())).toMatchObject({
    'towline_hosts{state="ready"}': 1,
    'towline_hosts{state="unreachable"}': 1,
    'towline_hosts{state="refused"}': 0,
    'towline_host_ready{host="vm"}': 1,
    'towline_host_ready{host="a\\"b\\\\c\\nd"}': 0,
    'towline_host_shell_commands_total{host="vm"}': 1,
  });
});

test('the budget of a host that needs logins, and none for others', async () => {
  const { vm, read } = await house();
  expect([...read().keys()].filter((key) => /logins|channel_limit/.test(key))).toEqual([]);
  vm.used = BUDGET;
  expect(Object.fromEntries(read())).toMatchObject({
    'towline_host_logins_total{host="vm",result="ok"}': 1,
    'towline_host_logins_total{host="vm",result="failed"}': 3,
    'towline_host_logins_total{host="vm",result="refused"}': 2,
    'towline_host_logins_left{host="vm"}': 4,
    'towline_host_connections{host="vm"}': 2,
    'towline_host_channels_open{host="vm"}': 2,
    'towline_host_channel_limit{host="vm"}': 1,
    'towline_host_channels_refused_total{host="vm"}': 1,
  });
});

test('how long looks took, as a histogram', async () => {
  const { seats, read } = await house();
  await seats.get('vm').polls.poll(async () => {});
  expect(Object.fromEntries(read())).toMatchObject({
    'towline_host_poll_seconds_bucket{host="vm",le="1"}': 1,
    'towline_host_poll_seconds_bucket{host="vm",le="+Inf"}': 1,
    'towline_host_poll_seconds_count{host="vm"}': 1,
  });
});

test.each([
  ['not of the family', 'a 1\n'],
  ['bad labels', '# HELP a b\n# TYPE a gauge\na{b="c"d"} 1\n'],
  ['a family comes twice', '# HELP a b\n# TYPE a gauge\na 1\n# HELP a b\n# TYPE a gauge\na 2\n'],
  ['bad number', '# HELP a b\n# TYPE a gauge\na undefined\n'],
  ['a sample comes twice', '# HELP a b\n# TYPE a gauge\na 1\na 1\n'],
  ['the last line has no end', '# HELP a b\n# TYPE a gauge\na 1'],
])('the reader itself refuses: %s', (why, text) => {
  expect(() => readMetrics(text)).toThrow(why);
});
