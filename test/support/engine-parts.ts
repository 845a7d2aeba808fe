/** Parts of the engine for its tests: policies, seats over any host, a ledger in memory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createLedger, type Ledger } from '../../src/engine/ledger.ts';
import type { Seat, Seats } from '../../src/engine/seats.ts';
import { createSeats } from '../../src/engine/seats.ts';
import type { EngineSettings, HostPolicy } from '../../src/engine/settings.ts';
import type { Host } from '../../src/remote/host.ts';
import { SILENT_LOGGER } from '../../src/remote/logger.ts';
import { openSpool, type Spool } from '../../src/spool/spool.ts';
import type { Store } from '../../src/store/store.ts';
import { openMemoryStore } from '../contract/store-memory.ts';

export const DAEMON = 'd4a3c7f0-0000-4000-8000-000000000001';
export const LOG = SILENT_LOGGER;

export function aPolicy(more: Partial<HostPolicy> = {}): HostPolicy {
  return {
    name: 'vm',
    type: 'ssh',
    address: 'alice@192.0.2.10:22',
    configured: JSON.stringify(more),
    enabled: true,
    root: '~/.towline',
    maxTasks: 8,
    tags: [],
    runtime: 'apptainer',
    runtimeArgs: [],
    imageSource: 'pull',
    insecureRegistries: [],
    pull: {
      attempts: 3,
      backoffMs: 1,
      backoffCapMs: 2,
      timeoutMs: 60_000,
      maxConcurrent: 2,
      memory: { firstMs: 0, capMs: 0 },
    },
    transferLinks: 2,
    pollsPerSecond: 1_000,
    ...more,
  };
}

export function someSettings(hosts: EngineSettings['hosts']): EngineSettings {
  return {
    limits: {
      queue: 100_000,
      minFreeBytes: 0,
      keepEventsMs: 86_400_000,
      eventsMax: 1_000_000,
      hookMs: 10_000,
      hooks: 2,
    },
    defaults: {
      cleanup: 'on-success',
      outputLimitBytes: 1 << 30,
      keepFailedMs: 1_000,
      keepTasksMs: 1_000,
      collectLimitBytes: 1 << 30,
      stopGraceMs: 200,
    },
    hosts,
  };
}

/** Seats over these hosts, named as their policies. */
export async function seatsOf(
  hosts: [Partial<HostPolicy>, Host][],
  onLink: (name: string, ready: boolean) => void = () => {},
): Promise<Seats> {
  const modeOf = () => 'open' as const;
  const held = () => [];
  const seats = createSeats({ daemonId: DAEMON, log: LOG, now: () => 1_000, modeOf, held, onLink });
  await seats.reload(
    hosts.map(([more, host]) => ({
      policy: aPolicy({ name: host.name, ...more }),
      open: () => host,
    })),
  );
  return seats;
}

export async function seatOf(host: Host, more: Partial<HostPolicy> = {}): Promise<Seat> {
  return (await seatsOf([[more, host]])).get(host.name);
}

export interface Books {
  store: Store;
  ledger: Ledger;
}

/** A store in memory and a ledger on it. `wrap` may spoil the store. */
export function openBooks(wrap: (store: Store) => Store = (store) => store): Books {
  const memory = openMemoryStore();
  onTestFinished(() => memory.close());
  const store = wrap(memory);
  let at = 0;
  return { store, ledger: createLedger({ store, now: () => (at += 1) }) };
}

export async function temporaryDirectory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'towline engine '));
  onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  return dir;
}

export async function temporarySpool(): Promise<Spool> {
  const spool = openSpool({ stateDir: await temporaryDirectory() });
  onTestFinished(() => spool.close());
  return spool;
}
