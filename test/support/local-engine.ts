/**
 * The whole engine on this machine: a real spool, a store in memory, the local host, and a runtime that
 * is a small script. The texts that run are the real ones; only the container is not there.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { isEnded } from '../../src/domain/state.ts';
import type { Task, TaskSpec } from '../../src/domain/task.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import type { TaskReport } from '../../src/engine/service.ts';
import type { EngineSettings, HostPolicy } from '../../src/engine/settings.ts';
import { createLocalHost } from '../../src/remote/local/local-host.ts';
import { openSpool } from '../../src/spool/spool.ts';
import type { Store } from '../../src/store/store.ts';
import { openMemoryStore } from '../contract/store-memory.ts';
import { aSpec } from './builders.ts';
import { aPolicy, LOG, someSettings, temporaryDirectory } from './engine-parts.ts';
import { PATIENCE } from './patience.ts';
import { until } from './until.ts';

/** Takes the options of `exec` away up to the image and runs what follows; `pull` does as the file `pull` says. */
const FAKE_APPTAINER = `#!/bin/bash
here=\${BASH_SOURCE[0]%/*}
case $1 in
  --version) echo 'apptainer version 1.4.5'; exit ;;
  pull) shift; source "$here/pull"; exit ;;
esac
for name in \${!APPTAINERENV_*}; do export "\${name#APPTAINERENV_}=\${!name}"; done
while [[ $1 != *.sif ]]; do shift; done
[[ $1 == */broken.sif ]] && { echo 'FATAL: while mounting image: not a SIF' >&2; exit 255; }
shift
cd work || exit 255
exec "$@"
`;

export interface LocalEngine {
  dir: string;
  root: string;
  store: Store;
  engine: Engine;
  /** A SIF of the "user's", which is there. */
  image: string;
  submit(line: string, more?: Partial<TaskSpec>): Promise<Task>;
  ended(id: string): Promise<TaskReport>;
  state(id: string, kind: Task['state']['kind']): Promise<TaskReport>;
  text(id: string, stream: 'stdout' | 'stderr', attempt?: number): Promise<string>;
  /** What \`apptainer pull\` does, as lines of bash. */
  pulls(lines: string): Promise<void>;
  /** Stops this engine; a new one goes on with the same store, spool and host. */
  restart(settings?: Partial<HostPolicy>): Promise<void>;
  settings(more?: Partial<HostPolicy>): EngineSettings;
  /** Lines of a file that the command itself writes: how often it ran. */
  lines(name: string): Promise<string[]>;
}

export async function startLocalEngine(more: Partial<HostPolicy> = {}): Promise<LocalEngine> {
  const dir = await temporaryDirectory();
  const runtime = join(dir, 'fake-apptainer');
  await writeFile(runtime, FAKE_APPTAINER);
  await chmod(runtime, 0o755);
  const image = join(dir, 'mini.sif');
  await writeFile(image, '');
  await writeFile(join(dir, 'broken.sif'), '');
  await mkdir(join(dir, 'state'));
  const root = join(dir, 'root');
  const store = openMemoryStore();
  const policy = { type: 'local' as const, name: 'local', address: 'this machine', root, runtime };
  const settings = (changes: Partial<HostPolicy> = {}): EngineSettings => {
    const whole = aPolicy({ ...policy, ...more, ...changes });
    const entry = { ...whole, configured: JSON.stringify(whole) };
    return someSettings([{ policy: entry, open: () => createLocalHost({ name: 'local' }) }]);
  };
  let spool = openSpool({ stateDir: join(dir, 'state') });

  const open = async (changes: Partial<HostPolicy> = {}): Promise<Engine> => {
    const engine = createEngine({
      store,
      spool,
      settings: settings(changes),
      readOnly: false,
      log: LOG,
      now: Date.now,
      random: Math.random,
      randomBytes,
    });
    await engine.start();
    return engine;
  };

  const self: LocalEngine = {
    dir,
    root,
    store,
    image,
    engine: await open(),
    async submit(line, spec = {}) {
      const command = { kind: 'argv' as const, argv: ['bash', '-c', line] };
      const asked = aSpec({ images: [image], command, cleanup: 'always', ...spec });
      const { tasks } = await self.engine.service.submit([asked]);
      return (tasks[0] as TaskReport).task;
    },
    async ended(id) {
      const signal = AbortSignal.timeout(60_000 * PATIENCE);
      const report = await self.engine.service.wait(id, { timeoutMs: 60_000 * PATIENCE, signal });
      if (!isEnded(report.task.state)) throw new Error(`still ${report.task.state.kind}`);
      return report;
    },
    async state(id, kind) {
      let report = await self.engine.service.get(id);
      await until(
        async () => (report = await self.engine.service.get(id)).task.state.kind === kind,
        () => `${kind}: ${JSON.stringify(report.task.state)}`,
      );
      return report;
    },
    async text(id, stream, attempt) {
      const { signal } = new AbortController();
      const want = { offset: 0, follow: false, attempt, signal };
      const chunks: Uint8Array[] = [];
      for await (const chunk of await self.engine.service.logs(id, stream, want))
        chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    },
    pulls: (lines) => writeFile(join(dir, 'pull'), lines),
    async restart(changes) {
      await self.engine.stop();
      await spool.close();
      spool = openSpool({ stateDir: join(dir, 'state') });
      self.engine = await open(changes);
    },
    settings,
    lines: async (name) => (await readFile(join(dir, name), 'utf8')).trimEnd().split('\n'),
  };
  onTestFinished(async () => {
    for (const task of (await store.loadLive()).tasks) {
      await self.engine.service.cancel(task.id).catch(() => {});
    }
    await until(async () => (await store.loadLive()).tasks.every(({ state }) => isEnded(state)));
    await self.engine.stop();
    await spool.close();
    await store.close();
  });
  return self;
}
