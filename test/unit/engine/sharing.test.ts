/** Goal: what several want is done once, and ended only when nobody wants it. Method: acts that end when told. */
import { expect, test } from 'vitest';
import { createSharing } from '../../../src/engine/sharing.ts';

const forever = (): AbortSignal => new AbortController().signal;

function heldAct() {
  const gate = Promise.withResolvers<string>();
  const signals: AbortSignal[] = [];
  const act = (signal: AbortSignal): Promise<string> => {
    signals.push(signal);
    return gate.promise;
  };
  return { gate, signals, act };
}

test('those who come meanwhile share one act, and those who come later have a new one', async () => {
  const share = createSharing();
  const { gate, signals, act } = heldAct();
  const all = [share('k', forever(), act), share('k', forever(), act), share('k', forever(), act)];
  gate.resolve('done');
  expect(await Promise.all(all)).toEqual(['done', 'done', 'done']);
  expect(signals).toHaveLength(1);
  await share('k', forever(), act);
  expect(signals).toHaveLength(2);
});

test('whoever leaves is let go at once; the act goes on for the others', async () => {
  const share = createSharing();
  const { gate, signals, act } = heldAct();
  const leaver = new AbortController();
  const left = share('k', leaver.signal, act);
  const stays = share('k', forever(), act);
  leaver.abort(new Error('had enough'));
  await expect(left).rejects.toThrow('had enough');
  expect(signals[0]?.aborted).toBe(false);
  gate.resolve('done');
  expect(await stays).toBe('done');
});

test('when the last one leaves the act is told so, with the reason', async () => {
  const share = createSharing();
  const { gate, signals, act } = heldAct();
  const [one, two] = [new AbortController(), new AbortController()];
  const both = [share('k', one.signal, act), share('k', two.signal, act)];
  one.abort(new Error('one'));
  two.abort(new Error('two'));
  expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual([
    'rejected',
    'rejected',
  ]);
  expect(signals[0]?.reason).toMatchObject({ message: 'two' });
  gate.reject(new Error('nobody hears this, and nothing breaks by it'));
});

test('who comes while a left act is still ending waits for that and has a new one', async () => {
  const share = createSharing();
  const first = heldAct();
  const leaver = new AbortController();
  const left = share('k', leaver.signal, first.act);
  leaver.abort(new Error('gone'));
  await left.catch(() => {});
  const second = heldAct();
  second.gate.resolve('anew');
  const late = share('k', forever(), second.act);
  await new Promise((resolve) => setImmediate(resolve));
  expect(second.signals).toHaveLength(0);
  first.gate.reject(new Error('ended'));
  expect(await late).toBe('anew');
});

test('who is gone before it begins begins nothing', async () => {
  const share = createSharing();
  const { signals, act } = heldAct();
  await expect(share('k', AbortSignal.abort(new Error('gone')), act)).rejects.toThrow('gone');
  expect(signals).toHaveLength(0);
});

test('a failure is everybody’s, and the next wish starts anew', async () => {
  const share = createSharing();
  const { gate, act } = heldAct();
  const both = [share('k', forever(), act), share('k', forever(), act)];
  gate.reject(new Error('broken'));
  for (const one of both) await expect(one).rejects.toThrow('broken');
  expect(await share('k', forever(), async () => 'fine')).toBe('fine');
});
