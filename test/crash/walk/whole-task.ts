/** The main scenario: inputs, stdin, image, streams that are followed, outputs, cleaning. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { MINI } from '../../support/bed.ts';
import { COUNTED, runtimeStarts, startLedger, stored } from '../../support/crash-task.ts';
import type { TestDaemon } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';
import { assertNothingHalf, followed, leftOnHost, outputDirectory, streamOf } from './oracle.ts';
import type { Play, Scenario } from './scenario.ts';

const LINES = [1, 2, 3, 4];
const STREAMS = {
  stdout: `${LINES.map((i) => `line ${i}\n`).join('')}no newline`,
  stderr: LINES.map((i) => `remark ${i}\n`).join(''),
};
const STDIN = 'from the standard input\n';

export const wholeTask: Scenario = {
  about: 'a task with inputs, standard input, followed streams, outputs and cleaning',
  options: { vm: COUNTED },
  begin,
};

function begin(daemon: TestDaemon): Play {
  const ledger = startLedger(daemon);
  const out = outputDirectory(daemon);
  mkdirSync(out);
  const words = randomBytes(48_000);
  writeFileSync(join(daemon.dir, 'words'), words);
  const payload = `${ledger.line}
for i in ${LINES.join(' ')}; do echo "line $i"; echo "remark $i" >&2; sleep 0.05; done
sha256sum </mnt/task/inputs/words >result.txt; mkdir tree; cat >tree/stdin; printf 'no newline'`;
  let upload: string | undefined;
  let id = '';
  const seen: Record<string, Promise<string>> = {};

  return {
    async act(ask) {
      upload ??= (await ask((client) => client.upload(Readable.from([STDIN])))).path;
      const spec = {
        host: 'vm',
        image: MINI,
        command: ['sh', '-c', payload],
        inputs: [join(daemon.dir, 'words')],
        stdin: { path: upload },
        outputs: [
          { path: 'result.txt', local: join(out, 'result.txt') },
          { path: 'tree/*', local: out },
        ],
        binds: ['/ledger:/ledger'],
      };
      const submitted = await ask((client) => client.submit([spec], { idempotencyKey: 'once' }));
      id = submitted.tasks[0]?.id ?? '';
      for (const stream of ['stdout', 'stderr'] as const)
        seen[stream] ??= followed(ask, id, stream);
      const view = await ask((client) => client.wait(id));
      assert.equal(`${view.state} ${view.exitCode} ${view.failure?.message ?? ''}`, 'succeeded 0 ');
      await until(() => stored(daemon, id)?.cleanup === 'done');
    },
    async look(ask) {
      for (const stream of ['stdout', 'stderr'] as const) {
        assert.equal(await streamOf(ask, id, stream), STREAMS[stream], `${stream} as it is kept`);
        assert.equal(await seen[stream], STREAMS[stream], `${stream} as it was followed`);
      }
      const { tasks } = await ask((client) => client.list());
      assert.deepEqual(
        tasks.map((task) => task.id),
        [id],
        'one task, whoever asked twice',
      );
    },
    async remains() {
      assert.deepEqual(ledger.starts(), [`${id}.1`], 'the payload was started once');
      assert.equal(runtimeStarts(`${id}.1`), 1, 'the runtime was started once');
      assert.deepEqual(readdirSync(out).toSorted(), ['result.txt', 'stdin'], 'the outputs');
      assert.equal(readFileSync(join(out, 'result.txt'), 'utf8'), `${sha256(words)}  -\n`);
      assert.equal(readFileSync(join(out, 'stdin'), 'utf8'), STDIN);
      assertNothingHalf(daemon, [out]);
      assert.equal(await leftOnHost(daemon, [`${id}.1`]), '', 'nothing is left on the host');
    },
    remove: () => ledger.remove(),
  };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
