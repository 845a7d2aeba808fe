/** Goal: no file stays open longer than it is used. (The harness also looks at the end of every test.) */
import { describe, expect, it } from 'vitest';
import type { AttemptToken } from '../../../src/domain/task.ts';
import { until } from '../../support/until.ts';
import { collect, harness, IDLE_MS, T } from './harness.ts';

const bytes = (text: string) => Buffer.from(text);

describe('file handles', () => {
  it('are closed when a stream was quiet for a while, and opened again on demand', async () => {
    const { open, openFiles, timer } = await harness();
    const attempt = open().attempt(T);
    await attempt.append('stdout', 0, bytes('a'));
    expect(openFiles()).toHaveLength(1);
    timer.fire(IDLE_MS);
    await until(() => openFiles().length === 0);
    await attempt.append('stdout', 1, bytes('b'));
    expect(openFiles()).toHaveLength(1);
  });

  it('are closed when an attempt is sealed, ended or removed', async () => {
    const { open, openFiles } = await harness();
    const spool = open();
    const token = (n: number) => `t.${n}` as AttemptToken;
    for (const n of [1, 2, 3]) await spool.attempt(token(n)).append('stdout', 0, bytes('a'));
    expect(openFiles()).toHaveLength(3);
    await spool.attempt(token(1)).seal({ stdout: 1, stderr: 0 });
    await spool.end(token(2));
    await spool.remove(token(3));
    expect(openFiles()).toEqual([]);
  });

  it('are one per stream, however many follow, and none when all have left', async () => {
    const { open, openFiles } = await harness();
    const spool = open();
    const attempt = spool.attempt(T);
    const followers = Array.from({ length: 50 }, () =>
      attempt.follow('stdout', { offset: 0, follow: true }),
    );
    const firsts = followers.map((follower) => follower.next());
    await attempt.append('stdout', 0, bytes('abc'));
    await Promise.all(firsts);
    expect(openFiles()).toHaveLength(1);
    await attempt.seal({ stdout: 3, stderr: 0 });
    // They are all still at their first chunk.
    expect(openFiles()).toEqual([]);
    await Promise.all(followers.map((follower) => collect(follower)));
    expect(openFiles()).toEqual([]);
  });

  it('a follower of a sealed stream that is never finished keeps no file open for long', async () => {
    const { open, openFiles, timer } = await harness();
    const attempt = open().attempt(T);
    await attempt.append('stdout', 0, Buffer.alloc(200_000));
    await attempt.seal({ stdout: 200_000, stderr: 0 });
    const forgotten = attempt.follow('stdout', { offset: 0, follow: true });
    await forgotten.next();
    timer.fire(IDLE_MS);
    await until(() => openFiles().length === 0);
    expect(timer.count).toBe(0);
  });
});
