/**
 * Goal: what many tasks share goes over the wire once, and gc never takes what one of them needs, however
 * often it runs. Method: a machine of its own, whose network card counts the bytes; gc in a loop, with a
 * stand-in for find on the host for which everything is old enough.
 */
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type SpareHost, startSpareHost } from '../support/faults/spare-host.ts';
import { TAKES_ALL } from '../support/share.ts';

const MIB = 1 << 20;

let spare: SpareHost;
let daemon: TestDaemon;

beforeAll(async () => {
  spare = await startSpareHost();
  daemon = makeDaemon({
    hosts: { far: { on: spare.name, keys: { ...spare.keys, max_tasks: '8' } } },
  });
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await spare[Symbol.asyncDispose]();
});

const received = async (): Promise<number> =>
  Number(await spare.sh('cat /sys/class/net/eth0/statistics/rx_bytes'));

async function submitted(tasks: object[]): Promise<string[]> {
  writeFileSync(join(daemon.dir, 'tasks.json'), JSON.stringify(tasks));
  const { stdout, stderr } = await daemon.cli('submit', '--file', 'tasks.json');
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

function file(name: string, bytes: Buffer): { path: string; sum: string } {
  const path = join(daemon.dir, name);
  writeFileSync(path, bytes);
  return { path, sum: createHash('sha256').update(bytes).digest('hex') };
}

test('one large input of many tasks is sent once', async () => {
  const [count, bytes] = TAKES_ALL ? [100, 100 * MIB] : [12, 24 * MIB];
  const { path, sum } = file('large', randomBytes(bytes));
  const command = ['sh', '-c', 'sha256sum < /mnt/task/inputs/large'];
  const task = { host: 'far', image: spare.image, command, inputs: [path] };
  const before = await received();
  const ids = await submitted(Array.from({ length: count }, () => task));
  const waited = await daemon.cli('wait', ...ids);
  expect(waited.code, waited.stdout).toBe(0);
  const sent = (await received()) - before;
  console.log(
    `${count} tasks, ${bytes / MIB} MiB: ${(sent / MIB).toFixed(1)} MiB went to the host`,
  );
  expect(sent).toBeGreaterThan(bytes);
  // headers of packets and of SSH, launches and looks
  expect(sent).toBeLessThan(bytes * 1.1 + count * 100_000);
  expect((await daemon.cli('logs', '--stdout', ids.at(-1) ?? '')).stdout).toBe(`${sum}  -\n`);
});

/** Everything is old, and there is no hour of grace. */
const ALL_OLD = `#!/bin/bash
args=()
for arg; do
  case $arg in +60 | -cmin | -mmin) ;; *) args+=("$arg") ;; esac
done
exec /usr/bin/find "\${args[@]}"
`;

test('gc in a loop takes nothing that is needed, and in the end all that is not', async () => {
  await spare.sh(`cat >/usr/local/bin/find <<'END'\n${ALL_OLD}END\nchmod 755 /usr/local/bin/find`);
  const shared = [1, 2, 3].map((n) => file(`shared-${n}`, randomBytes(20_000)));
  const count = TAKES_ALL ? 200 : 40;
  const maker = { host: 'far', image: spare.image, name: 'maker', command: 'echo made > it' };
  const takers = Array.from({ length: count }, (_, n) => ({
    ...{ host: 'far', image: spare.image },
    command:
      'cat /mnt/task/inputs/shared-* | sha256sum; cat workflow:///maker/it; cat /mnt/task/inputs/own',
    inputs: [...shared.map(({ path }) => path), { content: `${n}\n`, target: 'own' }],
  }));
  const [first = '', ...ids] = await submitted([maker, ...takers]);
  const waited = daemon.cli('wait', first, ...ids);
  let over = false;
  void waited.then(() => (over = true));
  let rounds = 0;
  while (!over) {
    const gc = await daemon.cli('gc', '--older-than', '1h', '--host', 'far', '--yes');
    expect(gc.code, gc.stderr).toBe(0);
    rounds += 1;
  }
  const { code, stdout } = await waited;
  expect(code, stdout).toBe(0);
  const logs = await Promise.all(
    [0, count - 1].map((n) => daemon.cli('logs', '--stdout', ids[n] ?? '')),
  );
  expect(logs.map((one) => one.stdout.split('\n').slice(1))).toEqual([
    ['made', '0', ''],
    ['made', `${count - 1}`, ''],
  ]);
  console.log(`${count} tasks, ${rounds} rounds of gc`);
  // what the maker shares has its hour, which is the daemon's
  const root = daemon.rootOn('far');
  await spare.sh(`rm -rf ${root}/kept`);
  expect((await daemon.cli('gc', '--older-than', '1h', '--host', 'far', '--yes')).code).toBe(0);
  expect(await spare.sh(`cd ${root} && find store tasks -type f ! -path '*/.ended/*'`)).toBe('');
});
