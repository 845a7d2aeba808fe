/**
 * Tasks that come through faults of the network, many to one daemon, and what must be true of each in the end as seen from
 * outside Towline: started once, its own bytes whole on both streams and in its output, nothing left on the host.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type BedHost, MINI, onHost } from '../bed.ts';
import { living, startLedger, stored } from '../crash-task.ts';
import type { TestDaemon } from '../daemon.ts';
import { until } from '../until.ts';

export interface WholeTaskOptions {
  /** The host's name in the configuration, and the machine behind it. */
  host?: string;
  on?: BedHost;
  image?: string;
  /** Lines on each stream, and the pause after each in seconds. */
  lines?: number;
  pause?: number;
  /** A file to be given, or how many random bytes to make one of. */
  input?: string;
  inputBytes?: number;
  /** Of random bytes that the task makes, beside its result. */
  outputBytes?: number;
}

export interface WholeTask {
  readonly id: string;
  readonly input: string;
  /** Waits for its end and looks at every oracle. */
  expectWhole(): Promise<void>;
}

let made = 0;

export async function submitWhole(
  daemon: TestDaemon,
  options: WholeTaskOptions = {},
): Promise<WholeTask> {
  const { host = 'vm', on = 'vm2', image = MINI, lines = 4, pause = 0.05 } = options;
  const { inputBytes = 20_000, outputBytes = 0 } = options;
  made += 1;
  const name = `task${made}`;
  const ledger = startLedger(daemon);
  const result = join(daemon.dir, `${name}.out`);
  const given = options.input ?? join(daemon.dir, `${name}.in`);
  if (options.input === undefined) writeFileSync(given, randomBytes(inputBytes));
  const payload = `${ledger.line}
i=0; while [ $i -lt ${lines} ]; do echo "line $i"; echo "remark $i" >&2; sleep ${pause}; i=$((i + 1)); done
head -c ${outputBytes} /dev/urandom >more; cat more >>result; sha256sum <more >>result
sha256sum </mnt/task/inputs/given >>result; printf 'no newline'`;
  const id = await daemon.submit(
    ...['--host', host, ...ledger.args, '--idempotency-key', name],
    ...['--input', `${given}:given`, '--output', `result:${result}`],
    ...[image, '--', 'sh', '-c', payload],
  );
  const each = (word: string): string =>
    Array.from({ length: lines }, (_, i) => `${word} ${i}\n`).join('');
  return {
    id,
    input: given,
    async expectWhole() {
      const waited = await daemon.cli('wait', id);
      const { failure } = await daemon.show(id);
      expect(`${waited.stdout}${waited.stderr}`, failure?.message).toBe(`${id} succeeded 0\n`);
      await until(
        () => stored(daemon, id)?.cleanup === 'done',
        () => `${id} is cleaned; ${JSON.stringify(stored(daemon, id))}`,
      );
      expect(stored(daemon, id)).toMatchObject({ kind: 'succeeded', attempt: 1 });
      expect(ledger.starts().filter((line) => line.startsWith(id))).toEqual([`${id}.1`]);
      const { stdout, stderr } = await daemon.cli('logs', id);
      expect({ stdout, stderr }).toEqual({
        stdout: `${each('line')}no newline`,
        stderr: each('remark'),
      });
      expectResult({ result, given, outputBytes });
      expect(await directories(on, daemon.rootOn(host), `${id}.1`)).toBe('');
      expect(await living(`${id}.1`, on)).toBe('');
    },
  };
}

function directories(on: BedHost, root: string, token: string): Promise<string> {
  const find = ['find', `${root}/tasks`, '-mindepth', '2', '-maxdepth', '2', '-name', token];
  return onHost(on, ...find);
}

/** The random bytes with the hash that the task itself made of them, then the hash of what it was given. */
function expectResult(files: { result: string; given: string; outputBytes: number }): void {
  expect(existsSync(files.result)).toBe(true);
  const bytes = readFileSync(files.result);
  const more = bytes.subarray(0, files.outputBytes);
  const hashes = [sha256(more), sha256(readFileSync(files.given))];
  expect(bytes.subarray(files.outputBytes).toString()).toBe(
    hashes.map((hash) => `${hash}  -\n`).join(''),
  );
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
