/** Goal: while a host is paused nothing reaches it, and what was under way says why. Method: a fake host behind the gate. */
import { expect, test } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import { createGate } from '../../../src/engine/gate.ts';
import { FakeHost } from '../../support/fake-host.ts';

const PAUSED = expect.objectContaining({
  code: 'HOST_PAUSED',
  hint: expect.stringContaining('towline host resume vm'),
});

function gateOf(paused = false) {
  const made: FakeHost[] = [];
  const open = () => {
    const host = new FakeHost();
    made.push(host);
    return host;
  };
  return { gate: createGate('vm', open, paused), made };
}

test('paused from the beginning no host is made, and every call is refused', async () => {
  const { gate, made } = gateOf(true);
  const { host } = gate;
  host.wake();
  await expect(host.run('true', { purpose: 'x' })).rejects.toEqual(PAUSED);
  await expect(host.list('/x')).rejects.toEqual(PAUSED);
  await expect(host.readRange('/x', 0, 1)).rejects.toEqual(PAUSED);
  expect(made).toHaveLength(0);
  expect(host.linkState()).toEqual({ kind: 'closed' });
  gate.resume();
  gate.resume();
  expect(made).toHaveLength(1);
});

test('a pause closes the host; a call under way fails with the pause, not with a broken link', async () => {
  const { gate, made } = gateOf();
  const under = Promise.withResolvers<string>();
  made[0]?.on(/^slow/, () => under.promise);
  const states: string[] = [];
  gate.host.onLinkState(({ kind }) => states.push(kind));
  const call = gate.host.run('true', { purpose: 'slow' });
  await gate.pause();
  under.reject(new AppError('SSH_CONNECTION_LOST', 'lost'));
  await expect(call).rejects.toEqual(PAUSED);
  expect(made[0]?.linkState().kind).toBe('closed');
  expect(states).toEqual(['closed']);
});

test('after resume it is a fresh host with the same listeners, and counts go on', async () => {
  const { gate, made } = gateOf();
  const before = gate.host.counters();
  await gate.pause();
  expect(gate.host.counters()).toEqual(before);
  gate.resume();
  const states: string[] = [];
  gate.host.onLinkState(({ kind }) => states.push(kind));
  made[1]?.setLink({ kind: 'connecting', since: 0 });
  expect(states).toEqual(['connecting']);
  expect((await gate.host.run('x', { purpose: 'looking at host' })).code).toBe(0);
});
