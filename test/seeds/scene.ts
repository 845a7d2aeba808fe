/**
 * The scene of one run: a daemon of its own, an sshd of its own behind a proxy, a small disk on each side. Nothing
 * of it is shared with other runs but the machine, the image and the account.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Client, createClient } from '../../src/client/client.ts';
import { BED, KEYS } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { hostDisk, localDisk, type SmallDisk } from '../support/faults/disks.ts';
import { knownHostsText, type Sshd, startSshd } from '../support/sshd.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { type KeptDaemon, keepDaemon } from './keep-daemon.ts';
import { bytesOf } from './payload.ts';
import type { Plan } from './plan.ts';

export const HOST = 'vm2';

/** A value that must be found nowhere. */
export interface Canary {
  name: string;
  secret: string;
}

export interface Scene extends AsyncDisposable {
  plan: Plan;
  /** Inputs and outputs of the run. */
  dir: string;
  daemon: TestDaemon;
  kept: KeptDaemon;
  client: Client;
  sshd: Sshd;
  proxy: TcpProxy;
  remoteDisk: SmallDisk;
  /** Absent where we may not mount. */
  localDisk: SmallDisk | undefined;
  root: string;
  /** Name of the ledger of the payloads in the bed's /ledger, and where it is here. */
  ledger: { name: string; file: string };
  canaries: Canary[];
  /** Copies what tells what happened to a directory that stays, and gives its name. */
  keep(): string;
}

const DISK_MB = 96;

/** Makes all of it; the daemon does not run yet. */
export async function makeScene(plan: Plan): Promise<Scene> {
  await using made = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), `towline-seed-${plan.seed}-`));
  made.defer(() => rmSync(dir, { recursive: true, force: true }));
  const name = basename(dir);
  // its penalties and its limits on logins have tests of their own
  const sshd = await startSshd({ lines: ['PerSourcePenalties no', 'MaxStartups 100:30:200'] });
  made.use(sshd);
  const proxy = await startTcpProxy(sshd.port);
  made.defer(() => proxy.stop());
  writeFileSync(join(dir, 'known_hosts'), knownHostsText(proxy.port, ['ed25519']));
  const mount = `/home/alice/t/${name}`;
  const remoteDisk = made.use(await hostDisk(HOST, mount, DISK_MB));
  const root = `${mount}/root`;
  const daemon = made.use(makeDaemon(daemonOptions(plan, { dir, root, port: proxy.port })));
  mkdirSync(daemon.stateDir, { mode: 0o700 });
  const local = await localDisk(daemon.stateDir, DISK_MB);
  if (local !== undefined) made.use(local);
  const kept = keepDaemon(daemon);
  made.defer(async () => void (await kept.stop()));
  const client = createClient({ socketPath: daemon.socket });
  made.defer(() => client.close());
  const ledger = { name, file: join(BED, 'ledger', name) };
  made.defer(() => rmSync(ledger.file, { force: true }));
  writeInputs(plan, dir);
  const all = made.move();
  return {
    ...{ plan, dir, daemon, kept, client, sshd, proxy, remoteDisk, localDisk: local, root, ledger },
    canaries: canaries(plan),
    keep: () => {
      const to = mkdtempSync(join(tmpdir(), `towline-seed-${plan.seed}-kept-`));
      cpSync(dir, join(to, 'run'), { recursive: true });
      cpSync(daemon.dir, join(to, 'daemon'), {
        recursive: true,
        filter: (path) => !path.endsWith('.sock'),
      });
      writeFileSync(join(to, 'sshd.log'), sshd.log());
      return to;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Whatever secret there is: add a row when there is another. */
function canaries({ passphrase }: Plan): Canary[] {
  const key = passphrase ? KEYS.encrypted : KEYS.plain;
  const words = readFileSync(KEYS.passphraseFile, 'utf8').trim();
  return [
    { name: 'private key', secret: readFileSync(key, 'utf8').split('\n')[2] ?? '' },
    ...(passphrase ? [{ name: 'passphrase', secret: words }] : []),
  ];
}

function daemonOptions(plan: Plan, place: { dir: string; root: string; port: number }) {
  const keys = {
    port: String(place.port),
    root: place.root,
    known_hosts: join(place.dir, 'known_hosts'),
    identity_file: plan.passphrase ? KEYS.encrypted : KEYS.plain,
    passphrase_file: plan.passphrase ? KEYS.passphraseFile : '',
    max_tasks: String(plan.slots),
    connect_timeout: '4s',
    login_burst: '100',
    login_interval: '10ms',
  };
  return { hosts: { [HOST]: { on: 'vm2' as const, keys } } };
}

export function inputPath(dir: string, task: number, stream: 'stdout' | 'stderr'): string {
  return join(dir, `task-${task}.${stream === 'stdout' ? 'out' : 'err'}`);
}

function writeInputs(plan: Plan, dir: string): void {
  for (const index of plan.tasks.keys()) {
    mkdirSync(join(dir, 'outputs', String(index)), { recursive: true });
    for (const stream of ['stdout', 'stderr'] as const) {
      writeFileSync(inputPath(dir, index, stream), knownBytes(plan, index, stream));
    }
  }
}

/** What a task prints on a stream, whole. */
export function knownBytes(plan: Plan, task: number, stream: 'stdout' | 'stderr'): Buffer {
  const planned = plan.tasks[task];
  if (planned === undefined) throw new Error(`no task ${task}`);
  return bytesOf(`${plan.seed}.${task}.${stream}`, planned[stream]);
}
