/**
 * Goal: what the real runtime says of a failed pull gets its own code; a cancel leaves nothing of it.
 * Method: Apptainer on the bed against the bed's registry, and against registries that are not there.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  classifyPull,
  type PullPlace,
  parsePull,
  pullCancelText,
  pullText,
} from '../../src/script/pull.ts';
import { openScriptBed, type ScriptBed } from '../support/script-bed.ts';
import { until } from '../support/until.ts';

let bed: ScriptBed;

beforeAll(async () => {
  bed = await openScriptBed('pull');
});
afterAll(() => bed[Symbol.asyncDispose]());

async function failure(place: PullPlace): Promise<string> {
  let output: string | undefined;
  await until(async () => {
    const reply = parsePull(await bed.run(pullText(place)), { host: 'vm' });
    if (reply.kind === 'ready') throw new Error('it is ready');
    if (reply.kind === 'failed') output = reply.output;
    return output !== undefined;
  });
  await bed.run(pullCancelText(place));
  return output ?? '';
}

test.each([
  ['IMAGE_MANIFEST_UNKNOWN', 'docker://registry:5000/mini:nope', true],
  ['IMAGE_MANIFEST_UNKNOWN', 'docker://registry:5000/nosuch:1', true],
  ['IMAGE_MANIFEST_UNKNOWN', 'oras://registry:5000/mini:nope', true],
  ['IMAGE_REGISTRY_UNREACHABLE', 'docker://registry:5000/mini:1', false],
  ['IMAGE_REGISTRY_UNREACHABLE', 'docker://registry:5999/mini:1', true],
  ['IMAGE_REGISTRY_UNREACHABLE', 'docker://no-such-host.invalid:5000/mini:1', true],
  ['IMAGE_REFERENCE_INVALID', 'library://registry/mini/x:1', true],
])('%s: %s, plain HTTP %s', async (code, reference, insecure) => {
  const output = await failure({ ...bed.pullPlace(reference, 'x'), insecure });
  const error = classifyPull(output, { host: 'vm', image: reference });
  expect([error.code, error.message], output).toEqual([code, expect.stringContaining(reference)]);
});

test('HOST_NO_SPACE: a disk too small, before or while fetching', async () => {
  const directory = '/mnt/small/images';
  await bed.run(`rm -rf ${directory}`);
  const place = { ...bed.pullPlace('docker://registry:5000/big:1', 'big'), directory };
  const output = await failure(place);
  expect(classifyPull(output, { host: 'vm', image: 'big' }).code, output).toBe('HOST_NO_SPACE');
  await bed.run(`mkdir -p ${directory}; cat /dev/zero >/mnt/small/full`);
  const full = await failure(place);
  expect(classifyPull(full, { host: 'vm', image: 'big' }).code, full).toBe('HOST_NO_SPACE');
  expect(await bed.run(`ls -A ${directory}; rm -rf /mnt/small/full ${directory}`)).toBe('');
});

test('a pull cancelled midway leaves no process and no file', async () => {
  const place = bed.pullPlace('docker://registry:5000/big:1', 'big');
  let bytes = 0;
  await until(async () => {
    const reply = parsePull(await bed.run(pullText(place)), { host: 'vm' });
    if (reply.kind !== 'running') throw new Error(reply.kind);
    bytes = reply.bytes ?? 0;
    return bytes > 1_000_000;
  });
  await bed.run(pullCancelText(place));
  const left = `grep -lsza 'TOWLINE_PULL=big\\.' /proc/[0-9]*/environ; ls -A '${place.directory}'`;
  let seen = '';
  await until(
    async () => (seen = await bed.run(left)) === '',
    () => `nothing to be left: ${seen}`,
  );
});
