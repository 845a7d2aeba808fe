/**
 * A play of one task: submitted once with a key, brought to its end by whatever a scenario asks, then
 * looked at. What differs between scenarios is given in a few words.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WireTaskSpec } from '../../../src/client/client.ts';
import { MINI } from '../../support/bed.ts';
import { COUNTED, runtimeStarts, startLedger, stored } from '../../support/crash-task.ts';
import type { TestDaemon } from '../../support/daemon.ts';
import { eventually } from './eventually.ts';
import type { Ask } from './lives.ts';
import { assertNothingHalf, leftOnHost, outputDirectory, streamOf } from './oracle.ts';
import type { Play, Scenario } from './scenario.ts';

/** The counting runtime, so that starts are counted twice, by different programs. */
export const WALKED = { vm: COUNTED };

export interface OneTask {
  about: string;
  /** The host it runs on, vm unless said otherwise; only vm has the counting runtime. */
  on?: 'vm' | 'hpc';
  options?: Scenario['options'];
  /** By default the small image, which the host has. */
  image?: (daemon: TestDaemon) => Promise<string>;
  /** Shell text after the line that notes the start. */
  payload: string;
  spec?: (out: string) => Partial<WireTaskSpec>;
  /** Files that are in the output directory before, by name. */
  before?: Record<string, string>;
  /** Asked once the task is there, before its end is waited for. */
  meanwhile?: (scene: Scene) => Promise<void>;
  /** Asked after its end. */
  afterwards?: (scene: Scene) => Promise<void>;
  /** Beginnings of `state code`, as it ends; several where time decides. */
  end: readonly string[];
  /** How often the payload was started, by attempt. */
  starts: number;
  stdout?: string;
  /** Files in the output directory in the end, by name. */
  after?: Record<string, string>;
  /** False when the task is known no more in the end. */
  known?: boolean;
  /** More to look at when no daemon runs any more. */
  remains?: (scene: Pick<Scene, 'daemon' | 'id'>) => void | Promise<void>;
}

export interface Scene {
  daemon: TestDaemon;
  ask: Ask;
  id: string;
  starts(): string[];
}

export function oneTask(wanted: OneTask): Scenario {
  return {
    about: wanted.about,
    options: wanted.options ?? WALKED,
    begin: (daemon) => begin(daemon, wanted),
  };
}

async function begin(daemon: TestDaemon, wanted: OneTask): Promise<Play> {
  const { known = true, on = 'vm' } = wanted;
  const ledger = startLedger(daemon);
  const out = outputDirectory(daemon);
  mkdirSync(out);
  for (const [name, text] of Object.entries(wanted.before ?? {}))
    writeFileSync(join(out, name), text);
  const spec: WireTaskSpec = {
    host: on,
    image: (await wanted.image?.(daemon)) ?? MINI,
    command: ['sh', '-c', `${ledger.line}\n${wanted.payload}`],
    binds: ['/ledger:/ledger'],
    cleanup: 'always',
    ...wanted.spec?.(out),
  };
  let id = '';
  let over = false;

  async function submitAndWait(ask: Ask): Promise<void> {
    const submitted = await ask((client) => client.submit([spec], { idempotencyKey: 'once' }));
    id = submitted.tasks[0]?.id ?? '';
    const scene: Scene = { daemon, ask, id, starts: ledger.starts };
    await wanted.meanwhile?.(scene);
    const view = await ask((client) => client.wait(id));
    const end = `${view.state} ${view.exitCode ?? '-'}`;
    assert.ok(
      wanted.end.some((one) => end.startsWith(one)),
      `ended as ${end}: ${view.failure?.message ?? ''}`,
    );
    if (spec.cleanup === 'always') await eventually(() => isClean(daemon, id));
    if (known && wanted.stdout !== undefined)
      assert.equal(await streamOf(ask, id, 'stdout'), wanted.stdout);
  }

  return {
    async act(ask) {
      if (!over) await submitAndWait(ask);
      over = true;
      await wanted.afterwards?.({ daemon, ask, id, starts: ledger.starts });
    },
    async look(ask) {
      const { tasks } = await ask((client) => client.list());
      assert.deepEqual(
        tasks.map((task) => task.id),
        known ? [id] : [],
      );
      if (known && wanted.stdout !== undefined)
        assert.equal(await streamOf(ask, id, 'stdout'), wanted.stdout);
    },
    async remains() {
      const tokens = Array.from({ length: wanted.starts }, (_, index) => `${id}.${index + 1}`);
      assert.deepEqual(ledger.starts(), tokens, 'each attempt was started once');
      if (on === 'vm')
        for (const token of tokens) assert.equal(runtimeStarts(token), 1, `starts of ${token}`);
      const { after = {} } = wanted;
      const found = readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'utf8')]);
      assert.deepEqual(Object.fromEntries(found), after, 'the outputs');
      assertNothingHalf(daemon, [out]);
      assert.equal(await leftOnHost(daemon, tokens, on), '', 'nothing is left on the host');
      await wanted.remains?.({ daemon, id });
    },
    remove: () => ledger.remove(),
  };
}

function isClean(daemon: TestDaemon, id: string): boolean {
  const state = stored(daemon, id);
  return state === undefined || state.cleanup === 'done' || state.cleanup === 'none';
}
