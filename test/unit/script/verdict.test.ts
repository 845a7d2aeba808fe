/** Goal: unknown is never taken for an end. Method: the table of the protocol, row by row. */
import { expect, test } from 'vitest';
import type { AttemptFacts } from '../../../src/script/status.ts';
import { judge, type Verdict } from '../../../src/script/verdict.ts';

const host = { bootId: 'boot1', machineId: 'm1', hostname: 'vm' };
const launch = {
  nonce: 'n1',
  pid: 10,
  startTicks: '77',
  bootId: 'boot1',
  machineId: 'm1',
  hostname: 'vm',
  startedAt: 0,
};
const exit = {
  nonce: 'n1',
  direct: false,
  code: 0,
  runtimeCode: 0,
  stdoutBytes: 0,
  stderrBytes: 0,
  finishedAt: 0,
};

function facts(changes: Partial<AttemptFacts> = {}): AttemptFacts {
  return {
    directory: 'there',
    ticket: false,
    go: true,
    cancelled: false,
    killed: false,
    ...changes,
  };
}

test.each<[string, Partial<AttemptFacts>, Partial<typeof host>, boolean, Verdict['kind']]>([
  ['no directory, never started', { directory: 'gone' }, {}, false, 'not-published'],
  ['no directory, but it was started', { directory: 'gone' }, {}, true, 'unknown'],
  ['the root is away', { directory: 'unseen' }, {}, true, 'unknown'],
  ['a ticket', { ticket: true, go: false }, {}, false, 'not-started'],
  ['cancelled before the start', { cancelled: true, go: false }, {}, false, 'cancelled'],
  ['an exit record', { exit }, {}, true, 'exited'],
  ['an exit record after a boot', { exit }, { bootId: 'boot2' }, true, 'exited'],
  ['an exit record of a killed one', { exit, killed: true }, {}, true, 'exited'],
  ['alive with the same start', { supervisorStart: '77' }, {}, true, 'running'],
  ['another process has the pid', { supervisorStart: '78' }, {}, true, 'dead-suspect'],
  ['no such process', {}, {}, true, 'dead-suspect'],
  [
    'another boot of the same machine',
    { supervisorStart: '77' },
    { bootId: 'boot2' },
    true,
    'rebooted',
  ],
  ['another machine', {}, { machineId: 'm2', bootId: 'boot2' }, true, 'unknown'],
  ['a clone of the machine', {}, { hostname: 'vm2', bootId: 'boot2' }, true, 'unknown'],
  ['started by somebody unknown', {}, {}, false, 'started'],
])('%s', (_, seen, place, known, kind) => {
  const evidence = {
    host: { ...host, ...place },
    facts: facts(seen),
    launch: known ? launch : undefined,
  };
  expect(judge(evidence).kind).toBe(kind);
});

test('sightings of a dead supervisor are counted in a row only', () => {
  const first = judge({ host, facts: facts(), launch });
  const second = judge({ host, facts: facts(), launch, previous: first });
  expect(second).toEqual({ kind: 'dead-suspect', sightings: 2 });
  const alive = judge({ host, facts: facts({ supervisorStart: '77' }), launch, previous: second });
  expect(judge({ host, facts: facts(), launch, previous: alive })).toEqual({
    kind: 'dead-suspect',
    sightings: 1,
  });
});
