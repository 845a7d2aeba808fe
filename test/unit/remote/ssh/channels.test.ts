/** Goal: a channel is found where there is room, and no connection is made where none may be. Method: fake connections. */
import { expect, it, onTestFinished, vi } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import { Channels, ROOM_WAIT_MS } from '../../../../src/remote/ssh/channels.ts';
import type { SshConnection } from '../../../../src/remote/ssh/connection.ts';

class FakeConnection {
  open = 0;
  readonly #limit: number;
  #lost: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get hasRoom(): boolean {
    return this.open < this.#limit;
  }

  async openSftp(): Promise<object> {
    this.open += 1;
    return {};
  }

  onLost(listener: () => void): void {
    this.#lost.push(listener);
  }

  onIdle(): void {}

  close(): void {
    for (const listener of this.#lost) listener();
  }
}

function scene(limit: number, single?: () => boolean) {
  const made: FakeConnection[] = [];
  const connection = (): SshConnection => {
    const one = new FakeConnection(limit);
    made.push(one);
    return one as unknown as SshConnection;
  };
  const channels = new Channels(connection(), async () => connection(), single);
  return { channels, open: () => made.map((one) => one.open) };
}

it('fills the main connection first and connects again when it is full', async () => {
  const { channels, open } = scene(2);
  for (let n = 0; n < 5; n += 1) await channels.sftp();
  expect(open()).toEqual([2, 2, 1]);
  channels.close();
});

it('makes no further connection where only one is allowed', async () => {
  const { channels, open } = scene(2, () => true);
  await channels.sftp();
  await channels.sftp();
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const refused = expect(channels.sftp()).rejects.toMatchObject({
    code: 'SSH_CHANNEL_REFUSED',
  } satisfies Partial<AppError>);
  await vi.advanceTimersByTimeAsync(ROOM_WAIT_MS);
  await refused;
  expect(open()).toEqual([2]);
  channels.close();
});
