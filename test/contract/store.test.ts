import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { storeSuite } from './store.suite.ts';
import { openMemoryStore } from './store-memory.ts';

storeSuite('in a file', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'towline-store-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return (await openStore({ stateDir: dir })).store;
});

storeSuite('in memory', async () => openMemoryStore());
