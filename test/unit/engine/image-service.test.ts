/**
 * Goal: images on this machine, sent from it to others though it is no host of the configuration, are seen and
 * removed like those of hosts, and nothing is made here to look for them. Method: a fake host in its place.
 */
import { expect, test } from 'vitest';
import { createGc } from '../../../src/engine/gc.ts';
import { createImageService } from '../../../src/engine/image-service.ts';
import { createSeats } from '../../../src/engine/seats.ts';
import { aPolicy, DAEMON, LOG, openBooks, someSettings } from '../../support/engine-parts.ts';
import { FakeHost } from '../../support/fake-host.ts';

const RECORD = '{"format":1,"reference":"docker://a:1","sha256":"x","bytes":7,"at":1}';
const PRUNED = `@ pruned 7 1 /i/a.sif\n@ record ${RECORD}\n@ kept 0 0`;

async function house(hasRoot: boolean) {
  const { ledger, store } = openBooks();
  const here = new FakeHost('local');
  here
    .on(/^looking for a root/, () => (hasRoot ? '@ yes' : '@ no'))
    .on(/^listing the images/, () => `@ image /i/a.sif\n@ record ${RECORD}\n@ done`)
    .on(/^looking for shared outputs/, () => '@ done')
    .on(/^(looking for|removing) what is not needed/, () => '@ done')
    .on(/^(looking for|removing) images/, () => PRUNED);
  const modeOf = () => 'open' as const;
  const seats = createSeats({
    ...{ daemonId: DAEMON, log: LOG, modeOf, now: () => 1_000, held: () => [], onLink: () => {} },
  });
  const policy = aPolicy({ name: 'local', type: 'local' });
  await seats.reload([], { policy, open: () => here });
  const deps = {
    ...{ seats, ledger, store, now: () => 1_000, settings: () => someSettings([]) },
    ...{ randomBytes: () => new Uint8Array(8), spool: { attempts: async () => [] } },
  } as never;
  return { here, store, service: createImageService(deps), gc: createGc(deps) };
}

test('what this machine has for others is listed and pruned by the name local', async () => {
  const { service, store, here } = await house(true);
  expect(await service.images('local')).toMatchObject([{ reference: 'docker://a:1', bytes: 7 }]);
  const request = { olderThanMs: 86_400_000, dryRun: false };
  expect((await service.pruneImages('local', request)).images).toMatchObject([
    { reference: 'docker://a:1', bytes: 7, lastUsedAt: 1_000 },
  ]);
  expect(here.scripts.at(-1)).toContain('older=86400 remove=1');
  expect(await store.listRemovals(9)).toMatchObject([{ kind: 'image', host: 'local', bytes: 7 }]);
  await expect(service.images('nope')).rejects.toMatchObject({ code: 'HOST_UNKNOWN' });
});

test('a machine that was never used is only looked at, and nothing is made there', async () => {
  const { service, gc, here } = await house(false);
  expect(await service.images('local')).toEqual([]);
  const nothing = { images: [], kept: { inUse: 0, recent: 0 } };
  expect(await service.pruneImages('local', { olderThanMs: 0, dryRun: false })).toEqual(nothing);
  await gc({ dryRun: true, host: 'local', images: true });
  expect(new Set(here.calls)).toEqual(new Set(['looking for a root on local']));
});

test('gc sweeps it as it sweeps hosts', async () => {
  const { gc } = await house(true);
  const { removed } = await gc({ dryRun: true, host: 'local', images: true });
  expect(removed).toMatchObject([{ kind: 'image', what: 'docker://a:1', host: 'local' }]);
});
