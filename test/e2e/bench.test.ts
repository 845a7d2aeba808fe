/**
 * Goal: every scenario of scripts/bench that the documents have aims for still works, and costs no more acts than it
 * should; times are not judged. Method: the program itself with --short, its figures as JSON.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { MEASURES, RACES, SCENARIOS } from '../../scripts/bench.d/scenarios.ts';
import { REPO, requireBed } from '../support/bed.ts';

const BENCH = join(REPO, 'scripts/bench.d/main.ts');

const compared = z.object({
  name: z.enum(Object.keys(SCENARIOS)),
  ratio: z.number().positive(),
  parts: z.record(z.string(), z.string()),
});
const raced = z.object({
  name: z.string().startsWith('staging'),
  racers: z.array(z.object({ label: z.string(), ms: z.object({ median: z.number().positive() }) })),
});
const measured = z.object({
  name: z.enum(Object.keys(MEASURES)),
  rows: z.array(z.object({ figure: z.string(), value: z.string() })).nonempty(),
});
const figures = z.array(z.union([compared, raced, measured]));

let outcomes: z.infer<typeof figures>;

beforeAll(async () => {
  requireBed();
  const words = [BENCH, '--short', '--rounds', '1', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 1 << 24 });
  outcomes = figures.parse(JSON.parse(stdout));
});

it('has figures of all that has an aim', () => {
  const wanted = ['run-true', 'many-containers', 'many-commands', 'first-byte', 'large-output'];
  const names = outcomes.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      ...wanted,
      'quiet-tasks',
      'queued-tasks',
      'restart-running',
      'hosts-1000',
    ]),
  );
  // up, again and down of a tree; up and down of a file
  expect(names.filter((name) => name.startsWith('staging'))).toHaveLength(5);
  expect(Object.keys(RACES)).toContain('staging-tree');
  expect(JSON.stringify(outcomes)).not.toMatch(/NaN|null|undefined|Infinity/);
});

// A container that takes seconds to start on a busy machine is looked at more often; budget.test.ts counts exactly.
it.each([
  ['run-true', { 'commits of the store': 8, 'round trips of the control shell': 40 }],
  [
    'many-containers',
    { 'round trips of the control shell, a task': 30, 'commits of the store, a task': 8 },
  ],
  [
    'many-commands',
    { 'round trips of the control shell, a task': 30, 'commits of the store, a task': 8 },
  ],
])('%s costs no login, no SFTP request, and acts within bounds', (name, bounds) => {
  const parts = partsOf(name);
  expect(parts).toMatchObject({ 'SFTP requests': '0', 'new logins': '0' });
  for (const [part, most] of Object.entries(bounds))
    expect(Number(parts[part]), part).toBeLessThanOrEqual(most);
  const begun = Object.entries(parts).find(([part]) => part.startsWith('processes and threads'));
  expect(Number(begun?.[1]), 'processes of a task').toBeLessThan(200);
});

function partsOf(name: string): Record<string, string> {
  const outcome = outcomes.find((one) => one.name === name);
  return outcome !== undefined && 'parts' in outcome ? outcome.parts : {};
}
