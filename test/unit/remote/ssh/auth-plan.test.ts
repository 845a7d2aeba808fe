/** Which request comes next in an authentication, without a network: order, limits, memory. */
import type { ParsedKey } from 'ssh2';
import { expect, it } from 'vitest';
import type { AgentKey } from '../../../../src/remote/ssh/agent.ts';
import { AuthPlan, type Heard, type Move } from '../../../../src/remote/ssh/auth-plan.ts';
import { newKeyMemory, orderOffers } from '../../../../src/remote/ssh/offers.ts';
import type { FileKey } from '../../../../src/remote/ssh/private-keys.ts';

const key = { type: 'ssh-ed25519' } as ParsedKey;
const file = (name: string, usable = true): FileKey => ({
  file: name,
  blob: Buffer.from(name),
  ...(usable ? { key } : { trouble: `${name}: protected` }),
});
const held = (name: string): AgentKey => ({
  blob: Buffer.from(name),
  type: 'ssh-ed25519',
  comment: name,
  key,
});
const idOf = (name: string): string => Buffer.from(name).toString('base64');
const names = (offers: readonly { id: string; by: { kind: string } }[]): string[] =>
  offers.map(({ id, by }) => `${Buffer.from(id, 'base64').toString()}/${by.kind}`);

const NO = (...methods: string[]): Heard => ({ methods, partial: false });
const MORE = (...methods: string[]): Heard => ({ methods, partial: true });
const FIRST: Heard = { methods: undefined, partial: false };
/** The host did not like a key of the agent; ssh2 does not tell us which methods are left. */
const AGENT_NO: Heard = { ...FIRST, turn: { signed: false } };
const AGENT_SIGNED: Heard = { ...FIRST, turn: { signed: true } };
const text = (move: Move): string =>
  move.kind === 'key' ? Buffer.from(move.offer.id, 'base64').toString() : move.kind;

function planFor(
  files: FileKey[],
  agent: AgentKey[],
  { person = false, memory = newKeyMemory() } = {},
) {
  const plan = new AuthPlan(orderOffers(files, agent, memory), { memory, person, passedOver: [] });
  return { plan, memory, say: (...heard: Heard[]) => heard.map((one) => text(plan.next(one))) };
}

it('orders files before the rest of the agent, and no key twice', () => {
  const files = [file('b', false), file('a'), file('none', false)];
  const agent = [held('c'), held('a'), held('b')];
  expect(names(orderOffers(files, agent, newKeyMemory()))).toEqual([
    'b/agent',
    'a/file',
    'c/agent',
  ]);
});

it('begins with the key that worked and ends with those that were refused', () => {
  const memory = { worked: idOf('c'), refused: new Set([idOf('a')]) };
  expect(names(orderOffers([file('a'), file('b')], [held('c')], memory))).toEqual([
    'c/agent',
    'b/file',
    'a/file',
  ]);
});

it('finds the fourth of five keys of an agent with three refusals, and begins with it next time', () => {
  const agent = ['1', '2', '3', '4', '5'].map(held);
  const { plan, memory, say } = planFor([], agent);
  expect(say(FIRST, NO('publickey'), AGENT_NO, AGENT_NO, AGENT_NO)).toEqual([
    'none',
    '1',
    '2',
    '3',
    '4',
  ]);
  plan.succeeded();
  const again = planFor([], agent, { memory });
  expect(again.say(FIRST)).toEqual(['4']);
});

it('stops after five refusals, which sshd bears, and begins with the others next time', () => {
  const files = ['1', '2', '3', '4', '5', '6', '7'].map((name) => file(name));
  const { plan, memory, say } = planFor(files, []);
  const no = NO('publickey');
  expect(say(FIRST, no, no, no, no, no)).toEqual(['1', '2', '3', '4', '5', 'stop']);
  expect(plan.notOffered).toBe(2);
  expect(planFor(files, [], { memory }).say(FIRST, no)).toEqual(['6', '7']);
});

it('learns that a host bears fewer', () => {
  const files = ['1', '2', '3', '4'].map((name) => file(name));
  const { plan, memory, say } = planFor(files, []);
  say(FIRST, NO('publickey'));
  // MaxAuthTries 2: the second refusal is a goodbye.
  plan.hungUp();
  expect(planFor(files, [], { memory }).say(FIRST, NO('publickey'))).toEqual(['3', 'stop']);
});

it('does not offer keys where only a person can answer, and does not ask one who is not there', () => {
  const { plan, say } = planFor([], []);
  expect(say(FIRST, NO('keyboard-interactive'))).toEqual(['none', 'stop']);
  expect(plan.wantsPerson).toEqual(['keyboard-interactive']);
});

it.each([
  ['a file', file('a'), [MORE('keyboard-interactive')], ['a', 'stop']],
  [
    'the agent',
    file('a', false),
    [NO('publickey'), AGENT_SIGNED, NO('keyboard-interactive')],
    ['none', 'a', 'none', 'stop'],
  ],
])('sees that a key of %s was taken and more is wanted', (_, first, heard, moves) => {
  const { plan, say } = planFor([first], [held('a')]);
  expect(say(FIRST, ...heard)).toEqual(moves);
  expect(names(plan.accepted)).toHaveLength(1);
  expect(plan.refused).toEqual([]);
  expect(plan.wantsPerson).toEqual(['keyboard-interactive']);
});

it('asks a person three times, and leaves room for that', () => {
  const files = ['1', '2', '3', '4', '5'].map((name) => file(name));
  const { plan, say } = planFor(files, [], { person: true });
  const no = NO('publickey', 'keyboard-interactive');
  expect(say(FIRST, no, no, no, no, no, no)).toEqual([
    '1',
    '2',
    '3',
    'keyboard-interactive',
    'keyboard-interactive',
    'keyboard-interactive',
    'stop',
  ]);
  expect(plan.personRefused).toBe(true);
});

it('passes over a key that the agent does not sign for', () => {
  const { plan, say } = planFor([], [held('1'), held('2')]);
  const locked: Heard = { ...FIRST, turn: { signed: false, trouble: 'agent: no' } };
  expect(say(FIRST, NO('publickey'), locked)).toEqual(['none', '1', '2']);
  expect([plan.passedOver, plan.refused]).toEqual([['agent: no'], []]);
});
