/** What host.ts promises about files: ranges, lists, uploads, downloads. */
import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Bench, failureOf, inPieces, MIB } from './host-bench.ts';

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

export function filesSuite(given: () => Bench): void {
  describe('files', () => {
    let bench: Bench;
    beforeAll(() => {
      bench = given();
    });

    it.each([0, 1, 32 * 1024, 255 * 1024, 9 * MIB + 13])(
      'carries %i bytes there and back',
      async (size) => {
        const data = randomBytes(size);
        const path = `${bench.dir}/data-${size}`;
        await bench.put(data, path);
        expect((await bench.sh(`sha256sum < '${path}'`)).split(' ')[0]).toBe(sha256(data));
        expect(await bench.sh(`stat -c '%a %s' '${path}'`)).toBe(`600 ${size}\n`);
        expect(sha256(await bench.fetch(path, size))).toBe(sha256(data));
      },
    );

    it('resumes an upload and a download at an offset', async () => {
      const data = randomBytes(3 * MIB + 5);
      const path = `${bench.dir}/resume`;
      await bench.put(data.subarray(0, 1_000_001), path);
      await bench.put(data, path, 1_000_000);
      expect((await bench.fetch(path, data.length)).equals(data)).toBe(true);
      const tail = await bench.fetch(path, data.length, 2_000_000);
      expect(tail.equals(data.subarray(2_000_000))).toBe(true);
    });

    it('cuts a longer file at the offset', async () => {
      const path = `${bench.dir}/longer`;
      await bench.put(Buffer.from('0123456789'), path);
      await bench.put(Buffer.from('01abc'), path, 2);
      expect((await bench.fetch(path, 100)).toString()).toBe('01abc');
      await bench.put(Buffer.from('x'), path);
      expect((await bench.fetch(path, 100)).toString()).toBe('x');
    });

    it('will not resume an upload beyond the end of the file', async () => {
      await bench.put(Buffer.from('abc'), `${bench.dir}/short`);
      const error = await failureOf(bench.put(Buffer.from('abcdefgh'), `${bench.dir}/short`, 6));
      expect(error.code).toBe('SFTP_FAILED');
      expect((await bench.fetch(`${bench.dir}/short`, 100)).toString()).toBe('abc');
    });

    it('reports progress that never goes back and ends at the size', async () => {
      const seen: number[] = [];
      const data = randomBytes(2 * MIB);
      const onProgress = (done: number) => void seen.push(done);
      await bench.host.upload(inPieces(data), `${bench.dir}/progress`, { onProgress });
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      expect(seen.at(-1)).toBe(data.length);
      seen.length = 0;
      await bench.host.download(
        { path: `${bench.dir}/progress`, size: data.length },
        async () => {},
        {
          onProgress,
        },
      );
      expect(seen.at(-1)).toBe(data.length);
    });

    it('hands chunks over one at a time', async () => {
      await bench.put(randomBytes(4 * MIB), `${bench.dir}/pressure`);
      let busy = 0;
      let most = 0;
      await bench.host.download({ path: `${bench.dir}/pressure`, size: 4 * MIB }, async () => {
        busy += 1;
        most = Math.max(most, busy);
        await new Promise((resolve) => setImmediate(resolve));
        busy -= 1;
      });
      expect(most).toBe(1);
    });

    it('ends a download early when the file is shorter, and reads no further than the size', async () => {
      await bench.put(randomBytes(MIB), `${bench.dir}/shrunk`);
      expect((await bench.fetch(`${bench.dir}/shrunk`, 50 * MIB)).length).toBe(MIB);
      expect((await bench.fetch(`${bench.dir}/shrunk`, 1000)).length).toBe(1000);
      expect((await bench.fetch(`${bench.dir}/shrunk`, 0)).length).toBe(0);
      expect((await bench.fetch(`${bench.dir}/shrunk`, 2 * MIB, MIB)).length).toBe(0);
    });

    it('ends a download of a file that shrinks meanwhile', async () => {
      const path = `${bench.dir}/shrinking`;
      await bench.put(randomBytes(16 * MIB), path);
      let cut = false;
      let got = 0;
      await bench.host.download({ path, size: 16 * MIB }, async (chunk) => {
        if (!cut) await bench.sh(`: > '${path}'`);
        cut = true;
        got += chunk.length;
      });
      expect(got).toBeLessThan(16 * MIB);
    });

    it('passes on what the receiver throws', async () => {
      await bench.put(randomBytes(1000), `${bench.dir}/thrown`);
      const work = bench.host.download({ path: `${bench.dir}/thrown`, size: 1000 }, async () => {
        throw new Error('disk full here');
      });
      await expect(work).rejects.toThrow('disk full here');
    });

    it('passes on what the source throws', async () => {
      async function* broken(): AsyncGenerator<Buffer> {
        yield Buffer.from('a');
        throw new Error('source broke');
      }
      await expect(bench.host.upload(broken(), `${bench.dir}/broken`)).rejects.toThrow(
        'source broke',
      );
    });

    it('stops a transfer when its signal fires', async () => {
      const stop = new AbortController();
      async function* endless(): AsyncGenerator<Buffer> {
        for (;;) {
          yield Buffer.alloc(65_536);
          stop.abort(new Error('enough'));
        }
      }
      const error = await failureOf(
        bench.host.upload(endless(), `${bench.dir}/endless`, { signal: stop.signal }),
      );
      expect(error.code).toBe('HOST_CALL_ABORTED');
    });

    it('reads ranges: inside, across the end, past the end, of an empty file', async () => {
      const data = randomBytes(600_000);
      await bench.put(data, `${bench.dir}/ranges`);
      const range = (offset: number, length: number) =>
        bench.host.readRange(`${bench.dir}/ranges`, offset, length);
      expect((await range(10, 100)).equals(data.subarray(10, 110))).toBe(true);
      expect((await range(0, 600_000)).equals(data)).toBe(true);
      expect((await range(599_990, 100)).equals(data.subarray(599_990))).toBe(true);
      expect((await range(600_000, 10)).length).toBe(0);
      expect((await range(700_000, 10)).length).toBe(0);
      await bench.put(Buffer.alloc(0), `${bench.dir}/empty`);
      expect((await bench.host.readRange(`${bench.dir}/empty`, 0, 10)).length).toBe(0);
    });

    it('sees a file grow between two reads', async () => {
      await bench.sh(`printf one > '${bench.dir}/growing'`);
      expect((await bench.host.readRange(`${bench.dir}/growing`, 0, 100)).toString()).toBe('one');
      await bench.sh(`printf two >> '${bench.dir}/growing'`);
      expect((await bench.host.readRange(`${bench.dir}/growing`, 3, 100)).toString()).toBe('two');
    });

    it('lists entries with kind, size, mode and time, and odd names as they are', async () => {
      const odd = ['a b', 'new\nline', 'größe-日本', '-x', "it's", '$(id)', '*'];
      await bench.sh(
        `mkdir '${bench.dir}/list' && ln -s /etc '${bench.dir}/list/link' && mkdir '${bench.dir}/list/sub' && mkfifo '${bench.dir}/list/pipe'`,
      );
      for (const name of odd) await bench.put(Buffer.from(name), `${bench.dir}/list/${name}`);
      const entries = await bench.host.list(`${bench.dir}/list`);
      const byName = new Map(entries.map((entry) => [entry.name, entry]));
      expect([...byName.keys()].toSorted()).toEqual([...odd, 'link', 'pipe', 'sub'].toSorted());
      expect(byName.get('link')?.kind).toBe('symlink');
      expect(byName.get('pipe')?.kind).toBe('other');
      expect(byName.get('sub')?.kind).toBe('directory');
      const file = byName.get('größe-日本');
      expect(file).toMatchObject({
        kind: 'file',
        mode: 0o600,
        size: Buffer.byteLength('größe-日本'),
      });
      expect(Math.abs((file?.mtimeMs ?? 0) - Date.now())).toBeLessThan(86_400_000);
      for (const name of odd) {
        expect((await bench.host.readRange(`${bench.dir}/list/${name}`, 0, 100)).toString()).toBe(
          name,
        );
      }
    });

    it('lists a directory of a thousand entries', async () => {
      await bench.sh(`mkdir '${bench.dir}/many'; cd '${bench.dir}/many'; seq 1000 | xargs touch`);
      expect((await bench.host.list(`${bench.dir}/many`)).length).toBe(1000);
    });

    it('tells a missing file, a missing directory and a pipe in place of a file', async () => {
      const codes = await Promise.all(
        [
          bench.host.readRange(`${bench.dir}/none`, 0, 1),
          bench.host.list(`${bench.dir}/none`),
          bench.fetch(`${bench.dir}/none`, 10),
          bench.put(Buffer.from('x'), `${bench.dir}/none/file`),
        ].map(async (work) => (await failureOf(work)).code),
      );
      expect(codes).toEqual(Array(4).fill('SFTP_NOT_FOUND'));
      await bench.sh(`mkfifo '${bench.dir}/fifo'`);
      expect((await failureOf(bench.fetch(`${bench.dir}/fifo`, 10))).code).toBe('SFTP_FAILED');
    });
  });
}
