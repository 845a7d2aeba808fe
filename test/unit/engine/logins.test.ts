/** A login as a conversation: who is asked what, who may answer, and how it ends. */
import { expect, test } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import { createLogins, type LoginStep } from '../../../src/engine/logins.ts';
import type { Seat } from '../../../src/engine/seats.ts';
import type { Ask } from '../../../src/remote/host.ts';
import { FakeHost } from '../../support/fake-host.ts';

const NEVER = new AbortController().signal;
const question = (prompt: string) => ({
  host: 'vm',
  name: '',
  instruction: '',
  prompts: [{ prompt, echo: false }],
});

function house(onLogin: (ask: Ask) => Promise<void>, answerWithinMs = 60_000) {
  const host = new FakeHost();
  host.onLogin = onLogin;
  let sessions = 0;
  const logins = createLogins({ sessionId: () => `s${(sessions += 1)}`, answerWithinMs });
  const seat = { name: 'vm', host } as unknown as Seat;
  const step = (session?: string, ...answers: string[]): Promise<LoginStep> =>
    logins.step(seat, session === undefined ? {} : { session, answers }, NEVER);
  return { logins, seat, step };
}

/** Asks twice and says what it heard. */
function twice() {
  const heard: string[][] = [];
  const onLogin = async (ask: Ask): Promise<void> => {
    heard.push(await ask(question('first'), NEVER), await ask(question('second'), NEVER));
  };
  return { heard, onLogin };
}

test('each answer brings the next question, and the last one the link', async () => {
  const { heard, onLogin } = twice();
  const { step } = house(onLogin);
  expect(await step()).toMatchObject({
    session: 's1',
    question: { prompts: [{ prompt: 'first' }] },
  });
  expect(await step('s1', 'a')).toMatchObject({ question: { prompts: [{ prompt: 'second' }] } });
  expect(await step('s1', 'b')).toEqual({ done: true });
  expect(heard).toEqual([['a'], ['b']]);
  await expect(step('s1', 'c')).rejects.toMatchObject({ code: 'SSH_LOGIN_ENDED' });
});

test('whoever begins anew takes the open question over; the first one is out', async () => {
  const { onLogin } = twice();
  const { step } = house(onLogin);
  await step();
  expect(await step()).toMatchObject({
    session: 's2',
    question: { prompts: [{ prompt: 'first' }] },
  });
  await expect(step('s1', 'a')).rejects.toMatchObject({ code: 'SSH_LOGIN_ENDED' });
  expect(await step('s2', 'a')).toMatchObject({ session: 's2' });
});

test('it ends with the reason when the login fails, when nobody answers, when answers are missing', async () => {
  const refused = house(async (ask) => {
    await ask(question('code'), NEVER);
    throw new AppError('SSH_LOGIN_FAILED', 'wrong');
  });
  await refused.step();
  await expect(refused.step('s1')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  await expect(refused.step('s1', 'secret')).rejects.toMatchObject({ code: 'SSH_LOGIN_FAILED' });
  expect(await refused.step()).toMatchObject({ session: 's2' });

  let reason: unknown;
  const late = house(async (ask) => {
    await ask(question('code'), NEVER).catch((error: unknown) => {
      reason = error;
      throw error;
    });
  }, 5);
  await late.step();
  await expect.poll(() => reason, { interval: 2 }).toMatchObject({ code: 'SSH_LOGIN_ENDED' });
});

test('a client that goes away before it is asked is asked nothing', async () => {
  const connected = Promise.withResolvers<void>();
  let reason: unknown;
  const { logins, seat } = house(async (ask) => {
    await connected.promise;
    await ask(question('code'), NEVER).catch((error: unknown) => {
      reason = error;
      throw error;
    });
  });
  const gone = new AbortController();
  const waiting = logins.step(seat, {}, gone.signal);
  gone.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'SSH_LOGIN_ENDED' });
  connected.resolve();
  await expect.poll(() => reason, { interval: 2 }).toMatchObject({ code: 'SSH_LOGIN_ENDED' });
});
