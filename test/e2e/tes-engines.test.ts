/**
 * Goal: what each engine sends is taken, runs, and is answered so that its strict decoder takes the answer. Method:
 * requests in their shapes on a daemon's socket, run on the bed's real host; replies held against the published schema
 * and what is known of the decoders: no field of our own, no null, no empty time, sizes as texts, types filled in.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../fixtures/tes/engines.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { type TesClient, tesClient } from '../support/tes/client.ts';
import { problemsWith, problemsWithMinimal } from '../support/tes/schema.ts';

let daemon: TestDaemon;
let tes: TesClient;
beforeAll(async () => {
  daemon = makeDaemon();
  await daemon.start();
  tes = tesClient({ socketPath: daemon.socket });
});
afterAll(() => daemon[Symbol.asyncDispose]());

/** Where a strict decoder gives up: nothing, or a text where a time or a number is wanted. */
function refusals(value: unknown, path = ''): string[] {
  if (value === null || value === undefined) return [`${path} is nothing`];
  if (typeof value !== 'object') {
    const isTime = /(?:_time)$/.test(path);
    const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
    if (isTime && !rfc3339.test(JSON.stringify(value).slice(1, -1))) return [`${path} is no time`];
    if (path.endsWith('size_bytes') && typeof value !== 'string') return [`${path} is no text`];
    if (path.endsWith('cpu_cores') && !Number.isInteger(value)) return [`${path} is no integer`];
    return [];
  }
  return Object.entries(value).flatMap(([key, inner]) => refusals(inner, `${path}.${key}`));
}

describe.concurrent.each(Object.keys(ENGINES))('a task of %s', (name) => {
  test('is taken, runs, and is answered in a way that its decoder takes', async () => {
    const files = join(daemon.dir, name);
    mkdirSync(files, { recursive: true });
    const { before, task, after } = ENGINES[name]?.({ files, image: 'registry:5000/mini:1' }) ?? {
      ...{ before: {}, task: {}, after: {} },
    };
    for (const [path, text] of Object.entries(before)) {
      mkdirSync(dirname(join(files, path)), { recursive: true });
      writeFileSync(join(files, path), text);
    }
    const id = await tes.create(task);
    const full = await tes.ended(id);
    expect(full.logs?.[0]?.system_logs?.filter((line) => !line.startsWith('warning:'))).toEqual([]);
    expect(full).toMatchObject({ state: 'COMPLETE', logs: [{ logs: [{ exit_code: 0 }] }] });
    for (const [path, text] of Object.entries(after)) {
      expect([path, readFileSync(join(files, path), 'utf8')]).toEqual([path, text]);
    }
    for (const view of [full, await tes.get(id, 'BASIC')]) {
      expect([problemsWith('tesTask', view), refusals(view)]).toEqual([[], []]);
      const typed = view as { inputs?: object[]; outputs?: object[] };
      for (const file of [...(typed.inputs ?? []), ...(typed.outputs ?? [])]) {
        expect(file).toHaveProperty('type');
      }
    }
    expect(problemsWithMinimal(await tes.get(id, 'MINIMAL'))).toEqual([]);
  });
});

test("a group of Sprocket's tasks is followed by one list", async () => {
  const query = 'tag_key=crankshaft-task-group&tag_value=g1&page_size=2047&view=MINIMAL';
  const { body } = await tes.call<{ tasks: unknown[] }>('GET', `/tasks?${query}`);
  expect(body).toEqual({ tasks: [{ id: expect.any(String), state: 'COMPLETE' }] });
});
