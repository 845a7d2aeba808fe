/**
 * Goal: another login node changes what is known of the host and raises no alarm, but for a root that is not the one
 * that tasks are in. Method: a host whose answers change from look to look, as behind a name or another node.
 */
import { expect, it } from 'vitest';
import { createLooks } from '../../../src/engine/host-looks.ts';
import type { HeldRoots } from '../../../src/script/probe.ts';
import { aPolicy } from '../../support/engine-parts.ts';
import { FakeHost, probeReply } from '../../support/fake-host.ts';

type Answer = Parameters<typeof probeReply>[0];

function scene(...answers: NonNullable<Answer>[]) {
  const host = new FakeHost();
  host.on(/^looking at host/, () => probeReply(answers.shift()));
  let held: HeldRoots = [];
  const policy = aPolicy({ name: 'hpc' });
  const looks = createLooks({ policy, host, onFound: () => {}, held: () => held, now: () => 0 });
  const look = async (roots: HeldRoots): Promise<string> => {
    held = roots;
    looks.expire();
    const facts = await looks.facts().catch((error: { code: string }) => error);
    return 'hostname' in facts ? facts.hostname : facts.code;
  };
  return { look, looks };
}

const ROOT = '/srv/towline';
const first = { root: ROOT, hostname: 'login1', machineId: 'm1', bootId: 'b1', rootId: 'aa' };
const second = { root: ROOT, hostname: 'login2', machineId: 'm2', bootId: 'b2' };

it('another login node with the same root is the host as it is now', async () => {
  const { look, looks } = scene(first, { ...second, rootId: 'aa' });
  expect(await look([ROOT])).toBe('login1');
  expect(await look([ROOT])).toBe('login2');
  expect(looks.known()).toMatchObject({ machineId: 'm2', bootId: 'b2' });
});

it.each<[string, HeldRoots]>([
  ['tasks are in it', [ROOT]],
  ['a launch may have worked', 'any'],
])('another root under its name is not used while %s', async (_, held) => {
  const { look, looks } = scene(
    first,
    { ...second, rootId: 'bb' },
    { ...second, rootId: 'bb' },
    first,
  );
  expect(await look([])).toBe('login1');
  expect(await look(held)).toBe('HOST_ROOT_UNAVAILABLE');
  expect(looks.lastFailure()?.message).toMatch(
    /is login2 now, and \/srv\/towline there is not the one/,
  );
  expect(await look(held)).toBe('HOST_ROOT_UNAVAILABLE');
  expect(await look(held)).toBe('login1');
});

it.each<[string, Answer, HeldRoots]>([
  ['no task is in it', { ...second, rootId: 'bb' }, ['/srv/other']],
  ['it is of an older version', second, [ROOT]],
  ['the root has another path', { ...second, root: '/srv/new', rootId: 'bb' }, [ROOT]],
])('another root is taken when %s', async (_, answer, held) => {
  const { look } = scene(first, answer ?? {});
  expect(await look([])).toBe('login1');
  expect(await look(held)).toBe('login2');
});

it('a person may have a new root made', async () => {
  const { look, looks } = scene(first, { ...second, rootId: 'bb' }, { ...second, rootId: 'bb' });
  expect(await look([ROOT])).toBe('login1');
  expect(await looks.look({ makeRoot: true })).toMatchObject({ rootId: 'bb' });
  expect(await look([ROOT])).toBe('login2');
});
