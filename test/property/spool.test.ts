/**
 * Goal: whatever is appended, closed, killed, rebooted and ended in whatever order, the files hold a
 * prefix of what was sent, and every follower gets the stream once and in order.
 * Method: random commands against a model that knows the whole stream and the last safe length.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isAppError } from '../../src/domain/failure.ts';
import { type AttemptToken, STREAMS, type StreamName } from '../../src/domain/task.ts';
import { openSpool, type Spool } from '../../src/spool/spool.ts';

const T = 'task.1' as AttemptToken;
const CHECKPOINT_BYTES = 50_000;

/** What the host has: byte i of a stream is always the same. */
function truth(stream: StreamName, from: number, length: number): Buffer {
  const start = stream === 'stdout' ? 0 : 101;
  return Buffer.from(
    Array.from({ length }, (_, i) => (start + (from + i) * 7 + ((from + i) >> 8)) & 0xff),
  );
}

type Command =
  | { kind: 'append'; stream: StreamName; length: number }
  | { kind: 'kill' | 'reboot' | 'close' | 'follow' };

const stream = fc.constantFrom(...STREAMS);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      stream,
      length: fc.integer({ min: 0, max: 90_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('kill', 'reboot', 'close', 'follow') }),
  },
);

class World {
  readonly #dir: string;
  readonly #spools: Spool[] = [];
  #boot = 1;
  spool: Spool;
  lengths = { stdout: 0, stderr: 0 };
  /** What no loss of power can take. */
  safe = { stdout: 0, stderr: 0 };
  followers: Promise<void>[] = [];

  constructor(dir: string) {
    this.#dir = dir;
    this.spool = this.#open();
  }

  async run(command: Command): Promise<void> {
    switch (command.kind) {
      case 'append':
        return await this.#append(command.stream, command.length);
      case 'follow':
        for (const name of STREAMS) this.followers.push(this.#follow(name));
        return;
      case 'close':
        await this.spool.close();
        this.safe = { ...this.lengths };
        this.spool = this.#open();
        return;
      case 'kill':
        // What the dead process would have done later is not done: its timers never run.
        this.spool = this.#open();
        return;
      case 'reboot':
        this.#boot += 1;
        this.spool = this.#open();
        this.lengths = await this.spool.bytes(T);
        for (const name of STREAMS) assert(this.lengths[name] >= this.safe[name]);
        return;
    }
  }

  async check(): Promise<void> {
    assert.deepEqual(await this.spool.bytes(T), this.lengths);
    for (const name of STREAMS) {
      const chunks: Buffer[] = [];
      for await (const chunk of this.spool.attempt(T).follow(name, { offset: 0, follow: false }))
        chunks.push(chunk);
      assert(Buffer.concat(chunks).equals(truth(name, 0, this.lengths[name])));
    }
  }

  async finish(): Promise<void> {
    const last = STREAMS.map((name) => this.#follow(name));
    await this.spool.attempt(T).seal(this.lengths);
    await Promise.all(last);
    this.#boot += 1;
    assert.deepEqual(await this.#open().bytes(T), this.lengths);
    for (const spool of this.#spools) await spool.close();
    await Promise.all(this.followers);
  }

  async #append(name: StreamName, length: number): Promise<void> {
    const attempt = this.spool.attempt(T);
    const offset = await attempt.length(name);
    await attempt.append(name, offset, truth(name, offset, length));
    this.lengths[name] += length;
    const unsafe = STREAMS.reduce((sum, s) => sum + this.lengths[s] - this.safe[s], 0);
    if (length > 0 && unsafe >= CHECKPOINT_BYTES) this.safe = { ...this.lengths };
  }

  /** Follows to the end, or until its process has died; every byte is the next one. */
  async #follow(name: StreamName): Promise<void> {
    let offset = 0;
    try {
      for await (const chunk of this.spool.attempt(T).follow(name, { offset: 0, follow: true })) {
        assert(chunk.equals(truth(name, offset, chunk.length)));
        offset += chunk.length;
      }
      assert.equal(offset, this.lengths[name]);
    } catch (error) {
      // A spool that was killed or closed, or whose files are no longer its own.
      if (!isAppError(error) || !/DAEMON_STOPPING|STORE_CORRUPT/.test(error.code)) throw error;
    }
  }

  #open(): Spool {
    const spool = openSpool({
      stateDir: this.#dir,
      bootId: `boot-${this.#boot}`,
      checkpointBytes: CHECKPOINT_BYTES,
      timer: { after: () => () => {} },
    });
    this.#spools.push(spool);
    return spool;
  }
}

it('the spool agrees with its model over appends, crashes and reboots', async () => {
  const property = fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (commands) => {
    const dir = await mkdtemp(join(tmpdir(), 'towline-spool-'));
    try {
      const world = new World(dir);
      for (const each of commands) {
        await world.run(each);
        await world.check();
      }
      await world.finish();
    } finally {
      await rm(dir, { recursive: true });
    }
  });
  await expect(fc.assert(property, { numRuns: 60 })).resolves.toBeUndefined();
});
