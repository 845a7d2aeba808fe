/** What host.ts promises about openProcess(). */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ProcessOptions, RemoteProcess } from '../../src/remote/host.ts';
import { until } from '../support/until.ts';
import { type Bench, failureOf, MIB } from './host-bench.ts';

const TTY = { term: 'xterm', columns: 91, rows: 33 };

async function textOf(stream: Readable): Promise<string> {
  return (await bytesOf(stream)).toString();
}

async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function outcome(process: RemoteProcess) {
  const [stdout, stderr, code] = await Promise.all([
    textOf(process.stdout),
    textOf(process.stderr),
    process.ended,
  ]);
  return { stdout, stderr, code };
}

export function processSuite(given: () => Bench): void {
  describe('openProcess', () => {
    let bench: Bench;
    const open = (script: string, options: Partial<ProcessOptions> = {}) =>
      bench.host.openProcess(script, { purpose: 'test', ...options });
    beforeAll(() => {
      bench = given();
    });

    it('gives both outputs apart, without the noise of a login, and the exit code', async () => {
      const process = await open('echo out; echo err >&2; exit 42');
      expect(await outcome(process)).toEqual({ stdout: 'out\n', stderr: 'err\n', code: 42 });
    });

    it('carries 8 MiB of any bytes through stdin and back', async () => {
      const data = randomBytes(8 * MIB);
      const process = await open('cat');
      process.stdin.end(data);
      process.stderr.resume();
      expect((await bytesOf(process.stdout)).equals(data)).toBe(true);
      expect(await process.ended).toBe(0);
    });

    it('leaves every byte of stdin to what the text starts', async () => {
      const process = await open('read -r first; echo "[$first]"; cat; echo \'}; )\'');
      process.stdin.end('echo one\n}; exit 9\nexit 8\n');
      expect((await outcome(process)).stdout).toBe('[echo one]\n}; exit 9\nexit 8\n}; )\n');
    });

    it('gives the outputs on after the end of stdin', async () => {
      const process = await open('cat >/dev/null; echo after');
      process.stdin.end();
      expect(await outcome(process)).toMatchObject({ stdout: 'after\n', code: 0 });
    });

    it('tells a signal as a shell does', async () => {
      expect((await outcome(await open('kill -TERM $$'))).code).toBe(143);
    });

    it('gives a terminal of the size asked for, and its new size', async () => {
      const process = await open(
        'stty size; echo "$TERM"; read -r word; until [ "$(stty size)" = "40 100" ]; do sleep 0.05; done; stty size; exit 5',
        {
          tty: TTY,
        },
      );
      const ended = outcome(process);
      process.resize({ columns: 100, rows: 40 });
      process.stdin.write('go\n');
      const { stdout, stderr, code } = await ended;
      // What was typed is echoed wherever it came.
      expect(stdout.replace(/go\r\n|\r/g, '')).toMatch(/^(33 91|40 100)\nxterm\n40 100\n$/);
      expect({ stderr, code }).toEqual({ stderr: '', code: 5 });
    });

    it('a terminal carries a text that is longer than any line', async () => {
      const long = 'x'.repeat(20_000);
      const process = await open(`echo "${long}" | wc -c`, { tty: TTY });
      expect((await outcome(process)).stdout).toBe('20001\r\n');
    });

    it('a typed Ctrl-C interrupts what runs on the terminal', async () => {
      const process = await open(
        'trap "echo caught; exit 7" INT; echo ready; while :; do sleep 0.05; done',
        {
          tty: TTY,
        },
      );
      let said = '';
      process.stderr.resume();
      process.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      await until(() => said.includes('ready'));
      process.stdin.write('\u0003');
      expect(await process.ended).toBe(7);
      expect(said).toContain('caught');
    });

    it('a process that nobody reads waits, and the host goes on', async () => {
      const process = await open(`head -c ${32 * MIB} /dev/zero; echo end >&2`);
      expect(await bench.sh('echo alive')).toBe('alive\n');
      process.stderr.resume();
      expect((await bytesOf(process.stdout)).length).toBe(32 * MIB);
      expect(await process.ended).toBe(0);
    });

    it('what reads its stdin ends when it is let go', async () => {
      const mark = `${bench.dir}/let-go`;
      const process = await open(`echo $$ >'${mark}'; cat; rm '${mark}'`);
      await until(async () => (await bench.sh(`cat '${mark}' 2>/dev/null || :`)) !== '');
      const failure = failureOf(process.ended);
      process.close();
      expect((await failure).code).toBe('HOST_CALL_ABORTED');
      const living = `kill -0 "$(cat '${mark}' 2>/dev/null)" 2>/dev/null && echo yes; :`;
      await until(async () => (await bench.sh(living)) === '');
    });

    it('rejects at once when its signal has fired', async () => {
      const signal = AbortSignal.abort(new Error('stop'));
      expect((await failureOf(open('cat', { signal }))).code).toBe('HOST_CALL_ABORTED');
    });
  });
}
