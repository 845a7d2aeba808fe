/** Opens the ledger of a state directory. */
import { join } from 'node:path';
import { createStore } from './create-store.ts';
import { readHome } from './home.ts';
import { readMachineId } from './machine-id.ts';
import { type FileSystemProbe, LOCAL_PROBE } from './network-file-systems.ts';
import { makePrivateFile, prepareStateDir } from './state-dir.ts';
import type { Store } from './store.ts';
import { startWorker } from './worker-link.ts';

export interface OpenStoreOptions {
  stateDir: string;
  now?: () => number;
  /** This machine, and this directory, take over what was made on another machine, or copied. */
  adopt?: boolean;
  /** Instead of this machine's own id. */
  machineId?: string;
  probe?: FileSystemProbe;
}

export interface OpenedStore {
  store: Store;
  /** The directory was made on another machine, or is a copy: whoever has the original may act, too. */
  cloned: boolean;
}

/**
 * Opens the store, made or brought up to date where needed. The caller holds the lock of the
 * directory (lockStateDir) and closes the store at the end.
 * @throws DAEMON_STATE_DIR_INVALID, DAEMON_STATE_DIR_NETWORK, STORE_SCHEMA_NEWER, STORE_CORRUPT,
 * STORE_FULL.
 */
export async function openStore(options: OpenStoreOptions): Promise<OpenedStore> {
  const { stateDir, now = Date.now, adopt = false, probe = LOCAL_PROBE } = options;
  await prepareStateDir(stateDir, probe);
  const path = join(stateDir, 'towline.sqlite');
  await makePrivateFile(path);
  const machineId = options.machineId ?? (await readMachineId());
  const link = await startWorker({
    path,
    now: now(),
    machineId,
    home: await readHome(path),
    adopt,
  });
  return { store: createStore(link), cloned: link.opened.cloned };
}
