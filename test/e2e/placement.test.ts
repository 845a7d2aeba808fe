/**
 * Goal: tasks without a host share two hosts: never over a slot, no GPU twice, hardly slower than the
 * best possible; what a task was given is told, and what can never fit is refused. Method: two hosts
 * of the bed; a fake nvidia-smi, brought by `setup`, names two GPUs on one of them. All is read from
 * the event log.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MINI, onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { until } from '../support/until.ts';

const GIB = 1024 ** 3;
const FAKE_SMI = [
  '#!/bin/sh',
  'echo "GPU-00000000-aaaa, 40960, Fake A100"',
  'echo "GPU-00000000-bbbb, 40960, Fake A100"',
].join('\n');

interface Asked {
  cpus: number;
  memory?: string;
  gpus?: number;
  seconds: number;
}

interface PlacedEvent {
  seq: number;
  at: string;
  task: string;
  kind: string;
  state: string;
  data: { host?: string; gpus?: { devices: string[] } };
}

const HOSTS: Record<string, { tasks: number; cpus: number; memory: number; gpus: number }> = {
  vm: { tasks: 8, cpus: 8, memory: 8 * GIB, gpus: 0 },
  two: { tasks: 8, cpus: 8, memory: 12 * GIB, gpus: 2 },
};
const KINDS: Omit<Asked, 'seconds'>[] = [
  { cpus: 1 },
  { cpus: 2, memory: '2GiB' },
  { cpus: 1, gpus: 1 },
  { cpus: 1, memory: '3GiB' },
  { cpus: 3 },
  { cpus: 1, memory: '1GiB' },
  { cpus: 2, memory: '1GiB' },
  { cpus: 1 },
  { cpus: 2 },
  { cpus: 1, memory: '1GiB' },
];
const SECONDS = [5, 5, 4, 4, 3, 2, 1, 1];
const TASKS: Asked[] = Array.from({ length: 40 }, (_, i) => ({
  cpus: 1,
  ...KINDS[(i * 7) % KINDS.length],
  ...(i === 11 && { gpus: 2 }),
  seconds: SECONDS[Math.floor(i / 5)] ?? 1,
}));

let daemon: TestDaemon;

beforeAll(async () => {
  const tools = `/home/alice/t/gpu-tools-${process.pid}`;
  const install = `mkdir -p ${tools} && printf '%s\\n' "$0" >${tools}/nvidia-smi && chmod 755 ${tools}/nvidia-smi`;
  await onHost('vm2', 'su', 'alice', '-s', '/bin/sh', '-c', install, '--', FAKE_SMI);
  const slots = { max_tasks: '8', cpus: '8' };
  const setup = `PATH=${tools}:$PATH`;
  daemon = makeDaemon({
    hosts: {
      vm: { on: 'vm', keys: { ...slots, memory: '8 GiB', tags: 'plain, old' } },
      two: { on: 'vm2', keys: { ...slots, memory: '12 GiB', tags: 'a100', setup } },
    },
    defaults: { host: '' },
  });
  await daemon.start();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await onHost('vm2', 'rm', '-rf', `/home/alice/t/gpu-tools-${process.pid}`);
});

test('forty mixed tasks on two hosts: never over a slot, no device twice, close to the best possible', async () => {
  // the image is there and both hosts are known: what is measured is placing
  for (const host of ['vm', 'two']) {
    const first = await daemon.cli('run', '--host', host, MINI, '--', 'true');
    expect(first, first.stderr).toMatchObject({ code: 0 });
  }
  const file = join(daemon.dir, 'tasks.ndjson');
  const spec = ({ seconds, ...asks }: Asked): string =>
    JSON.stringify({ image: MINI, command: ['sleep', `${seconds}`], ...asks });
  writeFileSync(file, TASKS.map((task) => `${spec(task)}\n`).join(''));
  const ids = (await daemon.submit('--file', file)).split('\n');
  expect((await daemon.cli('wait', ...ids)).code).toBe(0);

  const held = await heldSlots(ids);
  for (const { host, at } of held) {
    const here = held.filter((one) => one.host === host && one.from <= at && at < one.until);
    const sum = (of: (task: Asked) => number) =>
      here.reduce((total, { asked }) => total + of(asked), 0);
    const has = HOSTS[host];
    if (has === undefined) throw new Error(`placed on ${host}`);
    expect(here.length).toBeLessThanOrEqual(has.tasks);
    expect(sum(({ cpus }) => cpus)).toBeLessThanOrEqual(has.cpus);
    expect(sum(memoryOf)).toBeLessThanOrEqual(has.memory);
    const devices = here.flatMap(({ gpus }) => gpus);
    expect(new Set(devices).size).toBe(devices.length);
  }
  for (const { asked, gpus } of held) expect(gpus).toHaveLength(asked.gpus ?? 0);

  const times = held.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs]);
  const makespan = (Math.max(...times) - Math.min(...times)) / 1000;
  const best = bestPossible(
    held.map(({ asked, fromMs, untilMs }) => ({ ...asked, seconds: (untilMs - fromMs) / 1000 })),
  );
  const ideal = bestPossible(TASKS);
  console.log(
    `forty tasks took ${makespan.toFixed(1)} s; best possible as long as they took ${best.toFixed(1)} s, with nothing but their commands ${ideal.toFixed(1)} s`,
  );
  expect(makespan).toBeLessThanOrEqual(best * 1.2);
});

test('a task sees the devices it was given and no others, whatever it says itself', async () => {
  const ran = await daemon.cli(
    'run',
    '--gpus',
    '1',
    '--env',
    'CUDA_VISIBLE_DEVICES=all',
    '--keep',
    MINI,
    '--',
    'sh',
    '-c',
    'echo "$CUDA_VISIBLE_DEVICES $NVIDIA_VISIBLE_DEVICES"',
  );
  expect(ran, ran.stderr).toMatchObject({
    code: 0,
    stdout: 'GPU-00000000-aaaa GPU-00000000-aaaa\n',
  });
  const last = JSON.parse((await daemon.cli('list', '--json', '--limit', '1')).stdout) as {
    tasks: { id: string; host: string; gpus: string[]; remoteDir: string }[];
  };
  expect(last.tasks[0]).toMatchObject({ host: 'two', gpus: ['GPU-00000000-aaaa'] });
  expect(await onHost('vm2', 'cat', `${last.tasks[0]?.remoteDir}/run.sh`)).toContain('  --nv \\\n');
  const shown = (await daemon.cli('show', last.tasks[0]?.id ?? '')).stdout;
  expect(shown).toMatch(/^gpus +GPU-00000000-aaaa$/m);
});

test('a device stays with its task through a restart, and the host says who has it', async () => {
  const id = await daemon.submit('--gpus', '2', MINI, '--', 'sleep', '60');
  const next = await daemon.submit('--gpus', '1', MINI, '--', 'true');
  await until(() => daemon.storedState(id) === 'running');
  await daemon.kill('SIGKILL');
  await daemon.start();
  const page = (await daemon.cli('host', 'show', 'two')).stdout;
  expect(page).toContain(`GPU-00000000-aaaa (Fake A100, 40.0 GiB): ${id}`);
  expect(page).toContain(`GPU-00000000-bbbb (Fake A100, 40.0 GiB): ${id}`);
  expect((await daemon.show(next)).state).toBe('queued');
  await daemon.cli('cancel', id);
  expect((await daemon.cli('wait', next)).code).toBe(0);
});

test('tags choose the host; what no host can ever do is refused at once, with what each has', async () => {
  const plain = await daemon.submit('--require', 'plain', '--require', 'old', MINI, '--', 'true');
  await daemon.cli('wait', plain);
  expect((await daemon.show(plain)).host).toBe('vm');
  const tagged = await daemon.cli('run', '--require', 'fast', MINI, '--', 'true');
  expect(tagged.code).toBe(125);
  expect(tagged.stderr).toContain('TASK_NO_HOST_FITS');
  expect(tagged.stderr).toMatch(/vm has .*tags plain, old; two has .*tags a100/);
  const big = await daemon.cli('submit', '--cpus', '9', MINI, '--', 'true');
  expect(big.code).toBe(2);
  expect(big.stderr).toContain('vm has 8 tasks, 8 cpus, 8 GiB memory, 0 gpus');
});

test('priority goes before age', async () => {
  const blocker = await daemon.submit('--host', 'vm', '--cpus', '8', MINI, '--', 'sleep', '60');
  const low = await daemon.submit('--host', 'vm', '--cpus', '8', MINI, '--', 'true');
  const high = await daemon.submit(
    '--host',
    'vm',
    '--cpus',
    '8',
    '--priority',
    '7',
    MINI,
    '--',
    'true',
  );
  await until(() => daemon.storedState(blocker) === 'running');
  await daemon.cli('cancel', blocker);
  await daemon.cli('wait', low, high);
  const placed = (await events()).filter(({ kind }) => kind === 'placed').map(({ task }) => task);
  expect(placed.indexOf(high)).toBeLessThan(placed.indexOf(low));
});

async function events(): Promise<PlacedEvent[]> {
  const { stdout } = await daemon.cli('events', '--json');
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as PlacedEvent);
}

/** From its placement to its end a task has what it asked for; by number of event and by time. */
async function heldSlots(ids: string[]) {
  const all = await events();
  return ids.map((id, index) => {
    const own = all.filter(({ task }) => task === id);
    const placed = own.find(({ kind }) => kind === 'placed');
    const ended = own.find(({ state }) => state === 'succeeded');
    const asked = TASKS[index];
    if (placed === undefined || ended === undefined || asked === undefined)
      throw new Error(`${id} did not run`);
    return {
      asked,
      host: placed.data.host ?? '',
      gpus: placed.data.gpus?.devices ?? [],
      at: placed.seq,
      from: placed.seq,
      until: ended.seq,
      fromMs: Date.parse(placed.at),
      untilMs: Date.parse(ended.at),
    };
  });
}

/** No plan can be faster than the fullest resource used without a gap, or than the longest task. */
function bestPossible(tasks: Asked[]): number {
  const has = (of: keyof (typeof HOSTS)[string]) =>
    Object.values(HOSTS).reduce((sum, host) => sum + host[of], 0);
  const area = (of: (task: Asked) => number, capacity: number) =>
    tasks.reduce((sum, task) => sum + of(task) * task.seconds, 0) / capacity;
  return Math.max(
    ...tasks.map(({ seconds }) => seconds),
    area(() => 1, has('tasks')),
    area(({ cpus }) => cpus, has('cpus')),
    area(memoryOf, has('memory')),
    area(({ gpus = 0 }) => gpus, has('gpus')),
  );
}

function memoryOf({ memory = '0GiB' }: Asked): number {
  return Number(memory.replace('GiB', '')) * GIB;
}
