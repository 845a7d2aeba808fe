/** What host.ts promises about run(). */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Bench, failureOf, MIB } from './host-bench.ts';

export function runSuite(given: () => Bench): void {
  describe('run', () => {
    let bench: Bench;
    beforeAll(() => {
      bench = given();
    });

    it('gives exit code and both streams in the order written', async () => {
      const result = await bench.host.run('echo one; echo two >&2; echo three; exit 42', {
        purpose: 'test',
      });
      expect(result).toEqual({ code: 42, output: 'one\ntwo\nthree\n' });
    });

    it.each([
      ['no newline at the end', 'printf abc', 'abc'],
      ['nothing at all', ':', ''],
      ['only newlines', 'printf "\\n\\n"', '\n\n'],
      ['NUL bytes', 'printf "a\\000b"', 'a\0b'],
      ['a here-document', "cat <<EOF\n}\n)\nit's\nEOF", "}\n)\nit's\n"],
      ['a comment at the end', 'echo x # }; )', 'x\n'],
      ['unicode', 'printf "größe 日本"', 'größe 日本'],
    ])('gives the output exactly: %s', async (_, script, output) => {
      expect(await bench.host.run(script, { purpose: 'test' })).toEqual({ code: 0, output });
    });

    it('runs the text with stdin from /dev/null', async () => {
      expect(await bench.sh('cat; echo end')).toBe('end\n');
    });

    it('lets nothing outlive a command: directory, variables, options, exit, exec', async () => {
      await bench.sh('cd /; LEAK=1; export LEAK; set -f; umask 000; exit 3');
      await bench.sh('exec true');
      expect(await bench.sh('echo "${LEAK-none} $-"; pwd')).not.toMatch(/^1|f.*\n|\n\/\n/);
    });

    it('survives a script with a syntax error and tells it apart', async () => {
      const bad = await bench.host.run('if then ((', { purpose: 'test' });
      expect(bad.code).not.toBe(0);
      expect(await bench.sh('echo alive')).toBe('alive\n');
    });

    it('carries commands that arrive together in fewer writes than there are commands', async () => {
      const before = bench.host.counters();
      const texts = await Promise.all(Array.from({ length: 50 }, (_, n) => bench.sh(`echo ${n}`)));
      const after = bench.host.counters();
      expect(texts).toEqual(Array.from({ length: 50 }, (_, n) => `${n}\n`));
      expect(after.shellCommands - before.shellCommands).toBe(50);
      expect(after.shellBatches - before.shellBatches).toBeLessThanOrEqual(2);
      expect(after.logins).toBe(before.logins);
    });

    it('rejects a command at its deadline and goes on with the next one', async () => {
      const slow = bench.host.run('sleep 60', { purpose: 'nap', deadlineMs: 300 });
      const error = await failureOf(slow);
      expect(error.code).toBe('HOST_COMMAND_TIMEOUT');
      expect(error.message).toContain('nap');
      expect(await bench.sh('echo next')).toBe('next\n');
    });

    it('sends commands that wait behind a late one to a new shell', async () => {
      await bench.sh(':');
      const late = failureOf(bench.host.run('sleep 60', { purpose: 'late', deadlineMs: 500 }));
      // Begun in a later turn, so it is not in the batch of the late one.
      await new Promise((resolve) => setImmediate(resolve));
      expect(await bench.sh('echo spared')).toBe('spared\n');
      expect((await late).code).toBe('HOST_COMMAND_TIMEOUT');
    });

    it('refuses output beyond 4 MiB and keeps working', async () => {
      const error = await failureOf(bench.sh(`head -c ${5 * MIB} /dev/zero`));
      expect(error.code).toBe('HOST_REPLY_INVALID');
      expect((await bench.sh(`head -c ${4 * MIB} /dev/zero | tr '\\0' x`)).length).toBe(4 * MIB);
    });

    it('survives a command that kills the shell that carries it', async () => {
      const error = await failureOf(bench.sh('kill -9 $$; sleep 1'));
      expect(error.code).toBe('SSH_CONNECTION_LOST');
      expect(await bench.sh('echo again')).toBe('again\n');
    });

    it('does not let a slow command hold up quick ones', async () => {
      const stop = new AbortController();
      const slow = bench.host.run('sleep 30', {
        purpose: 'slow',
        lane: 'slow',
        signal: stop.signal,
      });
      const failure = failureOf(slow);
      expect(await bench.sh('echo quick')).toBe('quick\n');
      stop.abort(new Error('enough'));
      expect((await failure).code).toBe('HOST_CALL_ABORTED');
    });

    it('runs at most two slow commands at a time', async () => {
      const script = `f='${bench.dir}'/slow.$$; touch "$f"; sleep 0.2; ls '${bench.dir}' | grep -c '^slow[.]'; rm "$f"`;
      const runs = Array.from({ length: 5 }, () =>
        bench.host.run(script, { purpose: 'slow', lane: 'slow' }),
      );
      const counts = (await Promise.all(runs)).map((result) => Number(result.output));
      expect(Math.max(...counts)).toBeLessThanOrEqual(2);
    });

    it('rejects at once when its signal fires', async () => {
      const error = await failureOf(
        bench.host.run('echo no', {
          purpose: 'test',
          signal: AbortSignal.abort(new Error('stop')),
        }),
      );
      expect(error.code).toBe('HOST_CALL_ABORTED');
    });
  });
}
