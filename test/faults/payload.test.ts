/**
 * Goal: however a payload ends, its task says how, nothing of it is left, and nobody else is signalled.
 * Method: payloads that end badly on a spare host of little memory and few process numbers; numbers of
 * dead processes are given to strangers.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stored } from '../support/crash-task.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type PatientTask, submitPatient } from '../support/faults/patient-task.ts';
import { remainsOn } from '../support/faults/remains.ts';
import { type SpareHost, startSpareHost } from '../support/faults/spare-host.ts';
import { until } from '../support/until.ts';

let spare: SpareHost;
let daemon: TestDaemon;

beforeAll(async () => {
  spare = await startSpareHost({ memory: '256m', pidMax: 500 });
  daemon = makeDaemon({ hosts: { far: { on: spare.name, keys: spare.keys } } });
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await spare[Symbol.asyncDispose]();
});

const EATER = 'BEGIN { x = "0123456789abcdef"; while (1) x = x x }';

describe('row 15: a payload that', () => {
  test.each<[string, string[], string, number, string]>([
    ['is ended by SEGV', ['sh', '-c', 'kill -SEGV $$'], 'TASK_EXIT_CODE', 139, 'signal SEGV'],
    ['kills its process group', ['sh', '-c', 'kill -9 0'], 'TASK_EXIT_CODE', 137, 'signal KILL'],
    ['kills all it can see', ['sh', '-c', 'kill -9 -1'], 'TASK_EXIT_CODE', 137, 'signal KILL'],
    ['eats all memory', ['awk', EATER], 'TASK_OUT_OF_MEMORY', 137, 'lack of memory'],
    // after the kernel has killed for memory before, a KILL of another origin is still told apart
    ['kills itself', ['sh', '-c', 'kill -9 $$'], 'TASK_EXIT_CODE', 137, 'signal KILL'],
  ])('%s', async (_, command, code, exitCode, words) => {
    const id = await daemon.submit('--host', 'far', spare.image, '--', ...command);
    await daemon.cli('wait', id);
    const task = await daemon.show(id);
    expect(task).toMatchObject({ state: 'failed', exitCode, failure: { code } });
    expect(task.failure?.message).toContain(words);
    expect(await remainsOn(spare, `${id}.1`)).toBe('');
  });
});

/** The supervisor's pid and the leader's. */
async function numbersOf({ id }: PatientTask): Promise<[number, number]> {
  const { remoteDir } = await daemon.show(id);
  const leader = await spare.sh('cat "$1/leader"', remoteDir ?? '');
  return [stored(daemon, id)?.launch?.pid ?? 0, Number(leader.split(' ')[0])];
}

/** Everything of an attempt is ended at once, its supervisor included. */
async function killAll({ id }: PatientTask): Promise<void> {
  await until(async () => {
    const text = `pids=$(grep -lzas "TOWLINE_[A-Z]*=$1$" /proc/[0-9]*/environ | tr -dc '0-9\\n')
      [ -z "$pids" ] || kill -9 $pids 2>/dev/null; echo $pids`;
    return (await spare.sh(text, `${id}.1`)).trim() === '';
  });
}

/** A process of alice gets this number: process numbers go round until it comes. Gives the pid of a sleep. */
async function giveNumber(pid: number, command: string): Promise<number> {
  const text = `while :; do ${command} & [ $! = ${pid} ] && break; kill $! 2>/dev/null; wait $!; done; wait $!`;
  const mark = `stranger-${pid}`;
  await spare.sh(`rm -f /tmp/${mark}; (su alice -c "$1" </dev/null >/dev/null 2>&1 &)`, text);
  await until(async () => (await spare.sh(`cat /tmp/${mark} 2>/dev/null || :`)) !== '');
  return Number(await spare.sh(`cat /tmp/${mark}`));
}

async function lives(pid: number): Promise<boolean> {
  return (await spare.sh('kill -0 "$1" 2>/dev/null && echo yes || :', String(pid))) === 'yes\n';
}

test('row 16: a stranger with the number of a dead supervisor is neither taken for it nor signalled', async () => {
  const task = await submitPatient(daemon, spare);
  await task.began();
  const [supervisor] = await numbersOf(task);
  await daemon.kill('SIGKILL');
  await killAll(task);
  const mark = `/tmp/stranger-${supervisor}`;
  const stranger = await giveNumber(
    supervisor,
    `sh -c '[ $$ != ${supervisor} ] || { echo $$ >${mark}; exec sleep 1000; }'`,
  );
  expect(stranger).toBe(supervisor);
  await daemon.start();
  expect(await task.end()).toBe('interrupted');
  expect(await lives(stranger)).toBe(true);
  expect(task.ledger.starts()).toEqual([`${task.id}.1`]);
  task.ledger.remove();
});

test('row 16: a stranger whose session has the number of a dead leader is not ended by a cancel', async () => {
  const task = await submitPatient(daemon, spare);
  await task.began();
  const [, leader] = await numbersOf(task);
  await daemon.kill('SIGKILL');
  await killAll(task);
  const mark = `/tmp/stranger-${leader}`;
  // its own leader is gone by then, so that nothing of that number is there but a session
  const stranger = await giveNumber(
    leader,
    `setsid sh -c '[ $$ != ${leader} ] || { sleep 1000 & echo $! >${mark}; }'`,
  );
  await until(async () => !(await lives(leader)));
  await daemon.start({ TOWLINE_FAULT: 'watch.before:hold' });
  await daemon.cli('cancel', task.id);
  expect(await task.end()).toBe('cancelled');
  expect(await lives(stranger)).toBe(true);
  task.ledger.remove();
});
